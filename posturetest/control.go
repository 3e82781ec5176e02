package posturetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// controlPath is where the control paths begin. It is outside the API's base path.
const controlPath = "/posturetest/"

func isControl(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, controlPath) }

// serveControl serves the control paths.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request, body []byte) {
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, controlPath) {
	case "GET faults":
		writeJSON(w, s.waitingFaults())
	case "POST faults":
		faults, err := ParseFaults(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Inject(faults...)
		w.WriteHeader(http.StatusNoContent)
	case "DELETE faults":
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	case "GET requests":
		writeJSON(w, requestsJSON(s.Requests()))
	case "POST reset":
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "posturetest: there are GET, POST and DELETE faults, GET requests and POST reset below "+controlPath,
			http.StatusNotFound)
	}
}

// waitingFaults returns the faults that no request, or not enough of them, have met.
func (s *Server) waitingFaults() []faultJSON {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := make([]faultJSON, 0, len(s.faults))
	for _, f := range s.faults {
		waiting = append(waiting, f.json())
	}
	return waiting
}

// requestJSON is a Request in JSON.
type requestJSON struct {
	Operation string      `json:"operation"`
	Method    string      `json:"method"`
	Path      string      `json:"path"`
	Query     url.Values  `json:"query"`
	Header    http.Header `json:"header"`
	Body      string      `json:"body"`
}

func requestsJSON(requests []Request) []requestJSON {
	list := make([]requestJSON, 0, len(requests))
	for _, r := range requests {
		list = append(list, requestJSON{r.Operation, r.Method, r.Path, r.Query, r.Header, string(r.Body)})
	}
	return list
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is no concern of the server's
}
