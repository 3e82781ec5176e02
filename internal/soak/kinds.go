package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/cfposture/cfposture"
)

// A kind is what the API holds, rules or integrations, with what the soak does to them. A version is a text of an item
// that updates change.
type kind interface {
	noun() string
	version(op int) string
	create(ctx context.Context, name, version string, opt cfposture.Option) (id string, err error)
	get(ctx context.Context, id string, opt cfposture.Option) (item, error)
	update(ctx context.Context, id, version string, opt cfposture.Option) error
	remove(ctx context.Context, id string, opt cfposture.Option) error
	list(ctx context.Context, opt cfposture.Option) ([]item, error)
	all(ctx context.Context, opt cfposture.Option) ([]item, error)
	// parse reads an item as the API holds it, and says what it has lost.
	parse(raw json.RawMessage) (item, error)
}

// An item is a rule or an integration, as far as the soak looks.
type item struct{ id, name, version string }

// collect gathers what a list yields.
func collect[T any](list iter.Seq2[*T, error], itemOf func(*T) item) ([]item, error) {
	var items []item
	for one, err := range list {
		if err != nil {
			return nil, err
		}
		items = append(items, itemOf(one))
	}
	return items, nil
}

func itemsOf[T any](list []*T, itemOf func(*T) item) []item {
	items := make([]item, len(list))
	for i := range list {
		items[i] = itemOf(list[i])
	}
	return items
}

// keptMember is a member that the client doesn't know, and must keep.
const keptMember = "x_soak"

func kept(name string) map[string]json.RawMessage {
	return map[string]json.RawMessage{keptMember: fmt.Appendf(nil, `{"of":%q,"digits":1.50}`, name)}
}

func checkKept(name string, extra map[string]json.RawMessage) error {
	if want, got := kept(name)[keptMember], extra[keptMember]; string(want) != string(got) {
		return fmt.Errorf("%s has lost its unknown member: it is %q, want %q", name, got, want)
	}
	return nil
}

type rules struct{ service *cfposture.PostureService }

func (rules) noun() string { return "rule" }

func (rules) version(op int) string { return fmt.Sprintf("version %d", op) }

func ruleItem(r *cfposture.Rule) item { return item{r.ID, r.Name, r.Description} }

func (k rules) create(ctx context.Context, name, version string, opt cfposture.Option) (string, error) {
	rule, err := k.service.Create(ctx, &cfposture.Rule{
		Name: name, Description: version, Extra: kept(name), Match: []cfposture.Match{{Platform: cfposture.PlatformLinux}},
		Input: &cfposture.FileInput{OperatingSystem: cfposture.PlatformLinux, Path: "/etc/" + name, Exists: new(false)},
	}, opt)
	if err != nil {
		return "", err
	}
	return rule.ID, nil
}

func (k rules) get(ctx context.Context, id string, opt cfposture.Option) (item, error) {
	rule, err := k.service.Get(ctx, id, opt)
	if err != nil {
		return item{}, err
	}
	return ruleItem(rule), nil
}

// update reads the rule, changes one member, and writes it back.
func (k rules) update(ctx context.Context, id, version string, opt cfposture.Option) error {
	rule, err := k.service.Get(ctx, id, opt)
	if err != nil {
		return err
	}
	rule.Description = version
	_, err = k.service.Update(ctx, rule, opt)
	return err
}

func (k rules) remove(ctx context.Context, id string, opt cfposture.Option) error {
	return k.service.Delete(ctx, id, opt)
}

func (k rules) list(ctx context.Context, opt cfposture.Option) ([]item, error) {
	list, err := k.service.List(ctx, opt)
	return itemsOf(list, ruleItem), err
}

func (k rules) all(ctx context.Context, opt cfposture.Option) ([]item, error) {
	return collect(k.service.All(ctx, opt), ruleItem)
}

func (rules) parse(raw json.RawMessage) (item, error) {
	var rule cfposture.Rule
	if err := json.Unmarshal(raw, &rule); err != nil {
		return item{}, err
	}
	if input, ok := rule.Input.(*cfposture.FileInput); !ok || input.Path != "/etc/"+rule.Name || input.Exists == nil || len(rule.Match) != 1 {
		return item{}, fmt.Errorf("%s is not what was sent: %s", rule.Name, raw)
	}
	return ruleItem(&rule), checkKept(rule.Name, rule.Extra)
}

type integrations struct {
	service *cfposture.IntegrationsService
}

func (integrations) noun() string { return "integration" }

func (integrations) version(op int) string { return fmt.Sprintf("%dm", op) }

func integrationItem(i *cfposture.Integration) item { return item{i.ID, i.Name, string(i.Interval)} }

func (k integrations) create(ctx context.Context, name, version string, opt cfposture.Option) (string, error) {
	integration, err := k.service.Create(ctx, &cfposture.Integration{
		Name: name, Interval: cfposture.Interval(version), Extra: kept(name),
		Config: &cfposture.KolideConfig{ClientID: name, ClientSecret: "no secret"},
	}, opt)
	if err != nil {
		return "", err
	}
	return integration.ID, nil
}

func (k integrations) get(ctx context.Context, id string, opt cfposture.Option) (item, error) {
	integration, err := k.service.Get(ctx, id, opt)
	if err != nil {
		return item{}, err
	}
	return integrationItem(integration), nil
}

func (k integrations) update(ctx context.Context, id, version string, opt cfposture.Option) error {
	_, err := k.service.Update(ctx, id, cfposture.IntegrationUpdate{Interval: new(cfposture.Interval(version))}, opt)
	return err
}

func (k integrations) remove(ctx context.Context, id string, opt cfposture.Option) error {
	return k.service.Delete(ctx, id, opt)
}

func (k integrations) list(ctx context.Context, opt cfposture.Option) ([]item, error) {
	list, err := k.service.List(ctx, opt)
	return itemsOf(list, integrationItem), err
}

func (k integrations) all(ctx context.Context, opt cfposture.Option) ([]item, error) {
	return collect(k.service.All(ctx, opt), integrationItem)
}

func (integrations) parse(raw json.RawMessage) (item, error) {
	var integration cfposture.Integration
	if err := json.Unmarshal(raw, &integration); err != nil {
		return item{}, err
	}
	if config, ok := integration.Config.(*cfposture.KolideConfig); !ok || config.ClientID != integration.Name {
		return item{}, fmt.Errorf("%s is not what was sent: %s", integration.Name, raw)
	}
	return integrationItem(&integration), checkKept(integration.Name, integration.Extra)
}
