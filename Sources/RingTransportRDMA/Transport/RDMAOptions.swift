package import RingSystem

/// How the RDMA transport reaches the network.
package struct RDMAOptions: Sendable {
    /// Interfaces by name (`ib0`), CIDR (`10.0.0.0/8`) or address whose RDMA devices are used; channels take turns over
    /// them. Empty: the one that leads to ``routeHint``, if it has a device, else the first that has.
    package var interfaces: [String] = []

    /// The device that must be used, `mlx5_0`, or a port of it, `mlx5_0:1`; nil: any.
    package var device: String?

    /// The ports to listen on; nil: any free one.
    package var portRange: ClosedRange<UInt16>?

    /// An address that every rank must reach anyway, to choose the interface by.
    package var routeHint: SocketAddress?

    /// The traffic class of all packets, on RoCE the IP header's; nil: the system's.
    package var trafficClass: UInt8?

    /// The InfiniBand service level, on RoCE the priority; nil: the route's.
    package var serviceLevel: UInt8?

    /// How often a packet is sent again that is not acknowledged, 0 to 7.
    package var retryCount: UInt8 = 7

    /// How often a message is sent again that finds no receive posted, 0 to 7, 7 being without end.
    package var receiverRetryCount: UInt8 = 7

    /// The most payload of a packet in bytes, 256 to 4096; nil: what the path has.
    package var mtu: Int?

    /// The longest message that travels in the request itself, in bytes.
    package var inlineSize = 220

    /// The ring at each receiver: its slots. The same on all ranks.
    package var slotSize = 4096
    package var slotCount = 256

    /// Payload of so many bytes and more is sent from registered memory without a copy.
    package var fewestLentBytes = 16 << 10

    /// How many bytes of ordinary memory are kept registered at most; 0: none.
    package var cachedBytes = 1 << 30

    /// How long a connection may take to say who it is before it is dropped.
    package var handshakeTimeout: Duration = .seconds(10)

    /// Options with their defaults.
    package init() {}

    /// From how many bytes on ordinary memory is registered. What fits into the receiver's ring need not be: its sender
    /// waits for nobody once it is copied.
    var fewestCachedBytes: Int { max(1 << 20, slotSize * slotCount) }
}
