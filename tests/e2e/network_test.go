package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// network is a bridge with one namespace a server; the test itself, and so every
// client, sits at the bridge and reaches all servers whatever they do to each other.
type network struct {
	t       *testing.T
	servers int
}

const bridgeAddress = "10.77.0.100"

// newNetwork needs root, ip and nft, and says so when it skips.
func newNetwork(t *testing.T, servers int) *network {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, for network namespaces")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs the tool %s (Debian: iproute2, nftables)", tool)
		}
	}
	n := &network{t: t, servers: servers}
	// Named namespaces are mounts below /run; this mount namespace gets its own.
	if err := syscall.Mount("castaway-e2e", "/run", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.remove)
	n.run("ip link add castaway0 type bridge")
	n.run("ip addr add " + bridgeAddress + "/24 dev castaway0")
	n.run("ip link set castaway0 up")
	for i := 1; i <= servers; i++ {
		ns := n.namespace(i)
		n.run("ip netns add %s", ns)
		n.run("ip link add v%d type veth peer name eth0 netns %s", i, ns)
		n.run("ip link set v%d master castaway0 up", i)
		n.run("ip -n %s addr add %s/24 dev eth0", ns, n.address(i))
		n.run("ip -n %s link set eth0 up", ns)
		n.run("ip -n %s link set lo up", ns)
		n.run("ip netns exec %s nft add table inet castaway", ns)
		for _, hook := range []string{"input", "output"} {
			n.run("ip netns exec %s nft add chain inet castaway %s { type filter hook %s priority 0 ; }", ns, hook, hook)
		}
	}
	return n
}

// remove takes away what there is of the network. A namespace that is deleted goes later,
// and its end of a link with it; so the links are deleted first, which takes effect at once.
func (n *network) remove() {
	for i := 1; i <= n.servers; i++ {
		_ = exec.Command("ip", "link", "del", fmt.Sprintf("v%d", i)).Run()
		_ = exec.Command("ip", "netns", "del", n.namespace(i)).Run()
	}
	_ = exec.Command("ip", "link", "del", "castaway0").Run()
	_ = syscall.Unmount("/run", 0)
}

func (n *network) namespace(i int) string { return fmt.Sprintf("server%d", i) }
func (n *network) address(i int) string   { return fmt.Sprintf("10.77.0.%d", i) }

// deafen makes server i hear nothing from the others; they still hear it.
func (n *network) deafen(i int, others ...int) { n.drop(i, "input", "saddr", others) }

// mute makes the others hear nothing from server i; it still hears them.
func (n *network) mute(i int, others ...int) { n.drop(i, "output", "daddr", others) }

// cut separates server i from the others in both directions.
func (n *network) cut(i int, others ...int) {
	n.deafen(i, others...)
	n.mute(i, others...)
}

func (n *network) drop(i int, chain, field string, others []int) {
	var addresses []string
	for _, o := range others {
		addresses = append(addresses, n.address(o))
	}
	n.run("ip netns exec %s nft add rule inet castaway %s ip %s { %s } drop",
		n.namespace(i), chain, field, strings.Join(addresses, ", "))
}

// heal removes every drop.
func (n *network) heal() {
	for i := 1; i <= n.servers; i++ {
		for _, chain := range []string{"input", "output"} {
			n.run("ip netns exec %s nft flush chain inet castaway %s", n.namespace(i), chain)
		}
	}
}

// run carries out a command whose words have no spaces of their own.
func (n *network) run(format string, args ...any) {
	n.t.Helper()
	words := strings.Fields(fmt.Sprintf(format, args...))
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
	}
}
