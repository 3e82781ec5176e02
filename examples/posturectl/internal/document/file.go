package document

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces a file as a whole or not at all: it writes another one beside it and renames that. The file keeps
// its mode, and a symbolic link to it stays one, even if the file isn't there yet.
func WriteFile(path string, data []byte) error {
	err := replace(followLinks(path), data)
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch { // The caller knows neither the link's target nor the file beside it.
	case errors.As(err, &pathErr):
		return &fs.PathError{Op: "write", Path: path, Err: pathErr.Err}
	case errors.As(err, &linkErr):
		return &fs.PathError{Op: "write", Path: path, Err: linkErr.Err}
	}
	return err
}

// followLinks returns the file that a path stands for. A link that leads to itself stays what it is.
func followLinks(path string) string {
	const mostLinks = 40 // what Linux follows
	for range mostLinks {
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			// The folder may be a link itself, so that ".." can't just take the last name away.
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				break
			}
			target = folder + string(filepath.Separator) + target
		}
		path = target
	}
	return path
}

func replace(path string, data []byte) error {
	var mode fs.FileMode // 0: as any new file's
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		return os.WriteFile(path, data, 0) // A device or a pipe can't be replaced.
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	beside := path + "." + rand.Text()[:8] + ".tmp"
	err := writeNew(beside, data, mode)
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		_ = os.Remove(beside) // The first error is the one to tell.
	}
	return err
}

// writeNew writes a file that must not exist, to the disk. A mode of 0 is that of any new file.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the caller named the file
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && mode != 0 {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
