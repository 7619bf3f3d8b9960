/// How ranks reach each other.
public struct TransportOptions: Sendable, Hashable {
    /// A transport by name.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// RDMA where every rank has a device that is ready and all can reach each other by it, else TCP.
        case automatic = "auto"
        /// TCP sockets, IPv4 or IPv6.
        case tcp
        /// RDMA verbs, over InfiniBand or RoCE: needs the trait `RDMA` and a device on every rank's host.
        case rdma
    }

    /// Which transport. `RING_TRANSPORT`.
    public var kind: Kind = .automatic

    /// The interfaces to listen on: names (`eth0`), CIDRs (`10.0.0.0/8`) or addresses. Channels take turns over
    /// several. Empty: the interface that leads to the store, or else the first that is not loopback.
    /// `RING_INTERFACE`, separated by commas.
    public var interfaces: [String] = []

    /// The ports to listen on; nil: any free one. `RING_PORT_RANGE`, as `5000-5099`.
    public var portRange: ClosedRange<UInt16>?

    /// Independent sets of links, each driven by a thread of its own, which share the work of uncompressed operations of 1
    /// MiB a channel and more: each takes what its links have room for, so a slow link does not set the pace. The same on all
    /// ranks. More than one pays where processors are idle and one connection does not fill the network, and where there
    /// are several networks, see ``interfaces``. `RING_CHANNELS`.
    public var channels = 1

    /// The TCP congestion control by name; nil: `cubic` between ranks of one host, and in place of BBR where a round trip
    /// takes less than 5 ms, elsewhere the system's. `RING_CONGESTION_CONTROL`.
    public var congestionControl: String?

    /// The size of the kernel's socket buffers in bytes; nil: the system sizes them. `RING_SOCKET_BUFFER`.
    public var socketBufferSize: Int?

    /// The longest frame in bytes; the default suits almost everybody. `RING_SEGMENT_SIZE`.
    public var segmentSize = 4 << 20

    /// The most that is received, reduced and passed on at a time, in bytes; it should fit the processor's L2 cache.
    /// `RING_PIECE_SIZE`.
    public var pieceSize = 256 << 10

    /// How long a thread that waits for the network tries again before it sleeps; nil: where every rank of a host has a
    /// processor of its own 50 us, and up to 1 ms where that turns out to be better than to sleep; else 400 us, in which it
    /// offers its processor to the others again and again.
    /// `RING_SPIN`, in microseconds.
    public var spin: Duration?

    /// How RDMA devices are used.
    public var rdma = RDMASettings()

    /// Options with their defaults.
    public init() {}
}
