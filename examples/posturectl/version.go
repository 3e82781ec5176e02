package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

func versionCommand(t *terminal.Terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the program and of the library in it",
		Args:  atMost(0),
		RunE: func(*cobra.Command, []string) error {
			program, library := "unknown", "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				program = info.Main.Version
				for _, module := range info.Deps {
					if module.Path == "github.com/cfposture/cfposture" {
						library = module.Version
						if module.Replace != nil {
							library = "of this source tree"
						}
					}
				}
			}
			_, err := fmt.Fprintf(t.Out, "posturectl %s\ncfposture %s\n%s %s/%s\n", program, library, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
