package main

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"castaway/cluster/recovery"
)

const recoverLong = `Make a new cluster out of the data directory of one server, when a majority of its cluster is gone for good.

THIS LOSES DATA. What the old cluster acknowledged and this one server had not received is lost, and nobody can tell
from its disk how much that is. As long as a majority of the old servers can be started, start them instead.
Of several survivors, take the one whose log goes farthest: the one with the highest last term, and of those the one with the
highest last index, as "castaway inspect state" shows them.

Without --i-accept-data-loss nothing is done, and it is told what would be.

The old directory is not changed. The new one holds the survivor's log, as the only member of a new cluster with an id of
its own: servers of the old cluster refuse it, and it them. Others are added to it with "castaway member add". Never start
an old server again where clients could reach it: it would not know that its cluster is over.

Exit codes:
   0  done
   1  not possible as asked, or another failure; there is no new directory
   2  usage; also when --i-accept-data-loss is missing
  71  the survivor's directory is damaged, and --accept-damage was not given
  73  a node has the survivor's directory open
  76  a directory cannot be read or made`

// recoverFlags are what recover is told.
type recoverFlags struct {
	recovery.Options
	peer, client string
	accept       bool
}

func (a *app) recoverCommand() *cobra.Command {
	var f recoverFlags
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Make a new cluster out of one survivor's disk, when the majority is lost",
		Long:  recoverLong,
		Example: `# Of three servers, two have lost their disks; this is the third's
castaway inspect state /var/lib/castaway
castaway recover --data-dir /var/lib/castaway --to /var/lib/castaway-new --id 4 \
  --peer-address 10.0.0.4:2380 --client-address 10.0.0.4:2379 --i-accept-data-loss`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.recover(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.From, "data-dir", "", "the survivor's data directory; it is not changed")
	flags.StringVar(&f.To, "to", "", "the new data directory; it must not be there yet")
	flags.Uint64Var(&f.ID, "id", 0, "the new member's id, above every id that the old cluster ever had")
	flags.StringVar(&f.peer, "peer-address", "", "host:port where peers will reach the new member")
	flags.StringVar(&f.client, "client-address", "", "host:port where clients will reach it")
	flags.StringVar(&f.Member.Name, "name", "", "its name for people")
	flags.BoolVar(&f.AcceptDamage, "accept-damage", false, "go on if the survivor's directory is damaged: what lies behind the damage is lost as well")
	flags.BoolVar(&f.accept, "i-accept-data-loss", false, "do it; without this, nothing is done")
	return cmd
}

func (a *app) recover(cmd *cobra.Command, f recoverFlags) error {
	for _, required := range []string{"data-dir", "to", "id", "peer-address"} {
		if !cmd.Flag(required).Changed {
			return usagef(cmd.CommandPath(), "--%s is missing: %s", required, cmd.Flag(required).Usage)
		}
	}
	f.Member.Peer = f.peer
	if f.client != "" {
		f.Member.Clients = []string{f.client}
	}
	if !f.accept {
		r, err := recovery.Survey(f.Options)
		if err != nil {
			return err
		}
		if err := a.printRecovery(r, &f); err != nil {
			return err
		}
		return usagef(cmd.CommandPath(), "nothing was done: this loses data, so it needs --i-accept-data-loss")
	}
	r, err := recovery.Recover(f.Options)
	if err != nil {
		return err
	}
	return a.printRecovery(r, &f)
}

func (a *app) printRecovery(r recovery.Report, f *recoverFlags) error {
	if a.json() {
		return printJSON(a.out, r)
	}
	rows := [][]string{
		{"survivor", fmt.Sprintf("server %d of cluster %s, in %s", r.OldServer, r.OldCluster, r.From)},
		{"last written", r.LastWritten.Format(time.RFC3339)},
	}
	for _, d := range r.Damage {
		rows = append(rows, []string{"DAMAGE", d})
	}
	for _, g := range r.Groups {
		rows = append(rows, recoveredGroup(&g)...)
	}
	if r.NewCluster == "" {
		rows = append(rows, []string{"WOULD BE MADE", fmt.Sprintf("a new cluster with member %d alone, in %s", r.NewServer, r.To)})
		return printTable(a.out, []string{"WHAT", "FOUND"}, rows)
	}
	rows = append(rows,
		[]string{"MADE", fmt.Sprintf("cluster %s with member %d alone, in %s", r.NewCluster, r.NewServer, r.To)},
		[]string{"next", "start it: " + startCommand(r, f)},
		[]string{"then", "add others, with empty directories: castaway member add <peer-address>"},
		[]string{"NEVER", "start a server of the old cluster again where clients could reach it"})
	return printTable(a.out, []string{"WHAT", "FOUND"}, rows)
}

func recoveredGroup(g *recovery.Group) [][]string {
	name := fmt.Sprintf("group %d: ", g.Group)
	rows := [][]string{
		{name + "kept", fmt.Sprintf("entries up to %d (of term %d); the log starts after %d", g.Last, g.LastTerm, g.SnapshotIndex)},
		{name + "LOST", fmt.Sprintf("everything that the old cluster acknowledged after entry %d; this disk does not tell whether there was any", g.Last)},
	}
	if g.Last > g.Committed {
		rows = append(rows, []string{name + "note", fmt.Sprintf("only up to %d it is proved that the old cluster had committed; what is kept after that counts as done now, even if no client was ever told so", g.Committed)})
	}
	if g.Unreachable > 0 {
		rows = append(rows, []string{name + "LOST", fmt.Sprintf("%d records behind the damage", g.Unreachable)})
	}
	return rows
}

// startCommand is what starts the new member.
func startCommand(r recovery.Report, f *recoverFlags) string {
	command := "castaway start --id " + strconv.FormatUint(r.NewServer, 10) + " --data-dir " + r.To + " --advertise-peer " + f.peer + " --listen-peer " + f.peer
	if f.client != "" {
		command += " --advertise-client " + f.client + " --listen-client " + f.client
	}
	if host, _, err := net.SplitHostPort(f.peer); err == nil && !loopback(host) {
		command += " --insecure-network, or the peer-tls-… flags"
	}
	return command
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
