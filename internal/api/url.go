package api

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/google/go-querystring/query"
)

// DefaultBaseURL is the API's.
const DefaultBaseURL = "https://api.cloudflare.com/client/v4"

// ParseBaseURL returns the URL with a slash at the end of its path. It refuses what would send credentials where they don't
// belong, and its errors don't repeat the URL, which may hold a password.
func ParseBaseURL(text string, plainHTTP bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("base URL is not a URL such as " + DefaultBaseURL)
	case u.User != nil:
		return nil, errors.New("base URL has a user name: use WithAPIToken or WithAPIKey for credentials")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("base URL has a query or a fragment")
	case u.Scheme == "http" && !plainHTTP && !isLoopback(u.Hostname()):
		return nil, errors.New("base URL is not https: use WithPlainHTTP to allow http to a host that is not a loopback host")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("base URL is not https")
	}
	u = u.JoinPath("/")
	u.Host = strings.TrimSuffix(u.Host, ":") // an empty port
	return u, nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// CleanPath unescapes the elements of a path and escapes them again, so that none of them leads to another endpoint:
// neither an element ".." nor one that hides it as %2e%2e gets through.
func CleanPath(path string) (string, error) {
	if strings.ContainsAny(path, "?#") {
		return "", fmt.Errorf("path %q has a query or a fragment: use Query, or escape it", path)
	}
	var elements []string
	for escaped := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		element, err := url.PathUnescape(escaped)
		if err != nil {
			return "", fmt.Errorf("path %q: %w", path, err)
		}
		name := fmt.Sprintf("element %d of path %q", len(elements)+1, path)
		if element, err = EscapeElement(name, element); err != nil {
			return "", err
		}
		elements = append(elements, element)
	}
	return strings.Join(elements, "/"), nil
}

// EscapeElement returns a path element that can't change which endpoint a path leads to. Its name is for errors.
// Escaping is not enough for "." and "..", which servers and proxies resolve even if they are escaped.
func EscapeElement(name, value string) (string, error) {
	switch value {
	case "":
		return "", fmt.Errorf("%s is empty", name)
	case ".", "..":
		return "", fmt.Errorf("%s is %q, which leads to another endpoint", name, value)
	}
	return url.PathEscape(value), nil
}

// EncodeQuery encodes a struct with url tags, url.Values or nil.
func EncodeQuery(q any) (string, error) {
	switch q := q.(type) {
	case nil:
		return "", nil
	case url.Values:
		return q.Encode(), nil
	default:
		values, err := query.Values(q)
		if err != nil {
			return "", fmt.Errorf("%T is not a struct with url tags, nor url.Values: %w", q, err)
		}
		return values.Encode(), nil
	}
}
