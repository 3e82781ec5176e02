package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/posturetest"
)

// load reads a state file. Without a path there is none.
func load(path string) (*cli.Document, error) {
	if path == "" {
		return nil, os.ErrNotExist
	}
	file, err := os.Open(path) //nolint:gosec // the file that the caller named
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	document, err := cli.ReadDocument(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return document, nil
}

// A keeper keeps what the API holds in a file.
type keeper struct {
	path string
	api  *posturetest.Server

	mu     sync.Mutex
	failed error // of the last save
}

// wrap saves after every request that may have changed something, before its answer ends.
func (k *keeper) wrap(api http.Handler, env *cli.Env) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r)
		if r.Method == http.MethodGet {
			return
		}
		if err := k.save(); err != nil {
			env.Sayf("The state was not saved: %v", err)
		}
	})
}

// save writes the file as a whole or not at all.
func (k *keeper) save() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var text bytes.Buffer
	document := &cli.Document{Version: cli.DocumentVersion, Integrations: k.api.Integrations(), Rules: k.api.Rules()}
	err := document.Write(&text)
	if err == nil {
		err = replaceFile(k.path, text.Bytes())
	}
	k.failed = err
	return err
}

// err returns why the file is not what the API holds, if it isn't.
func (k *keeper) err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failed
}

// replaceFile writes a file beside the other and renames it.
func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the first error is the one to tell
	}
	return err
}
