package audit

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

//go:embed report.html
var reportText string

var report = template.Must(template.New("report").Funcs(template.FuncMap{"clean": terminal.Clean}).Parse(reportText))

// A page is what the report's template shows.
type page struct {
	*Result
	Made         string
	Columns      []string
	Lines        []line
	Groups       []group
	RuleRows     []ruleRow
	Connections  []connection
	TypesInUse   int
	FindingCount string
}

// A line is one type of rule in the picture of the coverage.
type line struct {
	Type  string
	Cells []cell
}

// A cell is one type on one platform.
type cell struct {
	Platform string
	Count    int
	Level    int  // how dark the cell is: 0 to 4
	Missing  bool // a finding says that the check should be there
}

// A group has the findings of one kind.
type group struct {
	Kind, About string
	Findings    []linkedFinding
}

type linkedFinding struct {
	Text  string
	Rules []link
}

// A link leads to a place in the report.
type link struct{ Anchor, Name, ID string }

type ruleRow struct {
	link
	Type, Platforms, Schedule, Expiration string
	Integration                           *link
	MissingIntegration                    string
	Kinds                                 []Kind
}

type connection struct {
	link
	Type, Interval string
	Rules          []link
}

// WriteHTML writes the result as one HTML file, which needs nothing from outside.
func WriteHTML(out io.Writer, r *Result, rules []*cfposture.Rule, integrations []*cfposture.Integration, made time.Time) error {
	p := &page{
		Result:       r,
		Made:         made.UTC().Format("2006-01-02 15:04 MST"),
		Columns:      r.Platforms(),
		TypesInUse:   len(r.Coverage),
		FindingCount: fmt.Sprintf("%d findings", len(r.Findings)),
	}
	if len(r.Findings) == 1 {
		p.FindingCount = "1 finding"
	}
	p.addLines()
	p.addConnections(integrations)
	p.addRules(rules)
	p.addGroups()
	return report.Execute(out, p)
}

func (p *page) addLines() {
	missing := map[string]bool{}
	types := slices.Collect(maps.Keys(p.Coverage))
	for _, f := range p.Findings {
		if f.Kind == Uncovered {
			missing[f.Type+" "+f.Platform] = true
			types = append(types, f.Type)
		}
	}
	slices.Sort(types)
	for _, t := range slices.Compact(types) {
		l := line{Type: t}
		for _, platform := range p.Columns {
			n := p.Coverage[t][platform]
			l.Cells = append(l.Cells, cell{platform, n, min(n, 4), missing[t+" "+platform]})
		}
		p.Lines = append(p.Lines, l)
	}
}

func (p *page) addConnections(integrations []*cfposture.Integration) {
	for n, i := range integrations {
		p.Connections = append(p.Connections, connection{
			link: link{fmt.Sprintf("integration-%d", n+1), i.Name, i.ID},
			Type: string(i.Type), Interval: string(i.Interval),
		})
	}
}

func (p *page) addRules(rules []*cfposture.Rule) {
	kinds := map[string][]Kind{}
	for _, f := range p.Findings {
		for _, rule := range f.Rules {
			if !slices.Contains(kinds[rule.ID], f.Kind) {
				kinds[rule.ID] = append(kinds[rule.ID], f.Kind)
			}
		}
	}
	for n, rule := range rules {
		row := ruleRow{
			link: link{fmt.Sprintf("rule-%d", n+1), rule.Name, rule.ID},
			Type: string(rule.Type), Platforms: strings.Join(platformsOf(rule), ", "),
			Schedule: string(rule.Schedule), Expiration: string(rule.Expiration), Kinds: kinds[rule.ID],
		}
		if id, _ := inputOf(rule)["connection_id"].(string); id != "" {
			row.MissingIntegration = id
			for c := range p.Connections {
				if to := &p.Connections[c]; to.ID == id {
					row.Integration, row.MissingIntegration = &to.link, ""
					to.Rules = append(to.Rules, row.link)
				}
			}
		}
		p.RuleRows = append(p.RuleRows, row)
	}
}

func (p *page) addGroups() {
	anchors := map[string]string{}
	for _, row := range p.RuleRows {
		anchors[row.ID] = row.Anchor
	}
	for _, k := range Kinds {
		g := group{Kind: string(k.Kind), About: k.About}
		for _, f := range p.Findings {
			if f.Kind != k.Kind {
				continue
			}
			found := linkedFinding{Text: f.Text}
			for _, rule := range f.Rules {
				found.Rules = append(found.Rules, link{anchors[rule.ID], rule.Name, rule.ID})
			}
			g.Findings = append(g.Findings, found)
		}
		if g.Findings != nil {
			p.Groups = append(p.Groups, g)
		}
	}
}
