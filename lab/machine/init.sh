#!/bin/dash
# The first process of the lab's virtual machine: mounts what every Linux has, loads what a node's network needs, and hands over to the agent.
# Busybox lends the everyday commands; where Debian's own program is there, that one is used, which busybox's own shell would not do.
/bin/busybox mkdir -p /applets /proc /sys /dev /run /tmp /root
/bin/busybox --install -s /applets
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/applets HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mkdir -p /run/netns /var && ln -sfn /run /var/run
for module in virtio_pci virtio_net veth bridge br_netfilter dummy ipip tun \
  ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh nf_conntrack nf_tables nft_compat nft_chain_nat nft_ct nft_fib nft_fib_ipv4 nft_masq nft_nat nft_numgen nft_limit nft_log nft_reject \
  ip_set ip_set_hash_ip ip_set_hash_net ip_set_bitmap_port ip_set_hash_ipport ip_set_hash_ipportip ip_set_hash_ipportnet \
  xt_set xt_mark xt_multiport xt_comment xt_conntrack xt_addrtype xt_MASQUERADE xt_nat xt_statistic xt_recent ipt_rpfilter xt_ipvs; do
  modprobe "$module" 2>/dev/null || echo "no module $module"
done
# As Debian's alternatives have it.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  [ -e "/usr/sbin/$name" ] || ln -s "$(echo "$name" | sed 's/tables/tables-nft/')" "/usr/sbin/$name"
done
ip link set lo up
ip link set eth0 up
# No default route: 10.0.2.2, the 127.0.0.1 of the machine that runs QEMU, is all that is reached.
ip address add 10.0.2.15/24 dev eth0
sysctl -q -w net.ipv4.ip_forward=1
exec guest agent 0.0.0.0:7000
