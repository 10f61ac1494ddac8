//go:build unix

package store

import (
	"errors"
	"os"
)

// syncFolder makes what was renamed in a folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
