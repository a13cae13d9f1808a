// Command calico-apiserver is Calico's own aggregated API server, which serves projectcalico.org/v3.
package main

import (
	"os"
	"strconv"
	"syscall"

	"k8s.io/apiserver/pkg/features"
	"k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/cli"

	"github.com/projectcalico/calico/apiserver/cmd/apiserver/server"
)

func main() {
	// It has no etcd to ask for a consistent read, so the gate, on by default in newer libraries, must be off.
	gates := map[string]bool{string(features.ConsistentListFromCache): false}
	if err := feature.DefaultMutableFeatureGate.SetFromMap(gates); err != nil {
		panic(err)
	}
	command, err := server.NewCommandStartCalicoServer(os.Stdout)
	if err != nil {
		panic(err)
	}
	os.Exit(cli.Run(command))
}

// As in kubelab: the process named by KUBELAB_PARENT is not outlived, whatever ends it. In init, on the main thread, because the
// kernel keeps the wish per thread.
func init() {
	parent, err := strconv.Atoi(os.Getenv("KUBELAB_PARENT"))
	if err != nil {
		return
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	if os.Getppid() != parent { // it ended before the wish was spoken
		os.Exit(1)
	}
}
