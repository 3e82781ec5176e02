package cli

import (
	"cmp"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// EnvironmentHelp says how a program finds its account, for -h texts.
const EnvironmentHelp = `
Credentials come from CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and
CLOUDFLARE_API_KEY; the account from -account or CLOUDFLARE_ACCOUNT_ID. Where
none of these is set, the program works on a sample account in its own memory.`

// An AccountFlag is the flag -account.
type AccountFlag struct{ id string }

// NewAccountFlag adds -account to the flags.
func NewAccountFlag(flags *Flags) *AccountFlag {
	account := new(AccountFlag)
	flags.StringVar(&account.id, "account", "", "`ID` of the account to work on (default: CLOUDFLARE_ACCOUNT_ID)")
	return account
}

// An Account is what a program works on.
type Account struct {
	*cfposture.Client
	Sample *posturetest.Server // the server that holds a sample account; nil: the account is a real one
}

// Close ends what Open started.
func (a *Account) Close() {
	if a.Sample != nil {
		a.Sample.Close()
	}
}

// Open returns the account that the flag and the environment name, and says which. Where they name none it is a sample.
// A part of a real account's data is an error: nobody who gave it means the sample.
func (f *AccountFlag) Open(env *Env, opts ...cfposture.Option) (*Account, error) {
	token, key := env.Getenv("CLOUDFLARE_API_TOKEN"), env.Getenv("CLOUDFLARE_API_KEY")
	id := cmp.Or(f.id, env.Getenv("CLOUDFLARE_ACCOUNT_ID"))
	baseURL := env.Getenv("CLOUDFLARE_BASE_URL")
	given := []cfposture.Option{cfposture.WithoutEnvironment(), cfposture.WithUserAgent("cfposture-examples")}
	switch {
	case token == "" && key == "" && id == "" && baseURL == "":
		return openSample(env, append(given, opts...)), nil
	case token == "" && key == "":
		return nil, Usagef("no credentials for the account: set CLOUDFLARE_API_TOKEN")
	case id == "":
		return nil, Usagef("no account: give -account, or set CLOUDFLARE_ACCOUNT_ID")
	case token != "":
		given = append(given, cfposture.WithAPIToken(token))
	default:
		given = append(given, cfposture.WithAPIKey(env.Getenv("CLOUDFLARE_EMAIL"), key))
	}
	given = append(given, cfposture.WithAccountID(id))
	where := ""
	if baseURL != "" {
		given = append(given, cfposture.WithBaseURL(baseURL))
		where = " at " + baseURL
	}
	client, err := cfposture.NewClient(append(given, opts...)...)
	if err != nil {
		return nil, &ExitError{Usage, err}
	}
	env.Sayf("Account %s%s", Clean(id), Clean(where))
	return &Account{Client: client}, nil
}

func openSample(env *Env, opts []cfposture.Option) *Account {
	server := posturetest.NewServer()
	Sample().AddTo(server)
	env.Sayf("Sample account, in memory: CLOUDFLARE_API_TOKEN is not set")
	return &Account{Client: server.Client(opts...), Sample: server}
}
