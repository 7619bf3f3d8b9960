/// How ranks use their RDMA devices. What is not set is as the system, or the route to the peer, has it.
public struct RDMASettings: Sendable, Hashable {
    /// The device to use, `mlx5_0`, or a port of it, `mlx5_0:1`; nil: the one of the interface that leads to the store, or
    /// else the first that is ready. `RING_RDMA_DEVICE`.
    public var device: String?

    /// The traffic class of all packets, on RoCE that of the IP header. `RING_RDMA_TRAFFIC_CLASS`.
    public var trafficClass: UInt8?

    /// The InfiniBand service level, on RoCE the priority, 0 to 15. `RING_RDMA_SERVICE_LEVEL`.
    public var serviceLevel: UInt8?

    /// How often a packet is sent again that is not acknowledged, 0 to 7. `RING_RDMA_RETRIES`.
    public var retries: UInt8 = 7

    /// The most payload of a packet in bytes, 256 to 4096 by powers of two; of two ranks the smaller counts.
    /// `RING_RDMA_MTU`.
    public var mtu: Int?

    /// The longest message in bytes that travels in the request itself. `RING_RDMA_INLINE`.
    public var inlineSize = 220

    /// How many bytes a link receives ahead, in locked memory, and as many for what it sends; the same on all ranks.
    /// `RING_RDMA_RING`.
    public var ringSize = 1 << 20

    /// From how many bytes on what is sent from registered memory is not copied, see ``RegisteredBuffer``.
    /// `RING_RDMA_ZERO_COPY`.
    public var zeroCopySize = 16 << 10

    /// How many bytes of ordinary memory a process keeps registered at most, from one operation to the next, so that
    /// operations on 1 MiB and more need not copy it; 0: none. No more than half of what the process may lock counts.
    /// `RING_RDMA_CACHE`.
    public var cacheSize = 1 << 30

    /// Settings with their defaults.
    public init() {}
}

extension RDMASettings {
    /// What there may be of each.
    static let serviceLevels = 0...15
    static let retryCounts = 0...7
    static let mtus = [256, 512, 1024, 2048, 4096]
    static let inlineSizes = 0...4096
    static let ringSizes = (64 << 10)...(4 << 20)
    static let zeroCopySizes = 1...(1 << 40)
    static let cacheSizes = 0...(1 << 40)
    /// A ring has so many slots.
    static let slotCount = 256

    /// Why the settings cannot be right; nil if they can.
    var flaw: String? {
        if let serviceLevel, !Self.serviceLevels.contains(Int(serviceLevel)) {
            return "an RDMA service level of \(serviceLevel); use 0 to 15"
        }
        if !Self.retryCounts.contains(Int(retries)) { return "\(retries) RDMA retries; use 0 to 7" }
        if let mtu, !Self.mtus.contains(mtu) {
            return "an RDMA MTU of \(mtu) bytes; use 256, 512, 1024, 2048 or 4096"
        }
        if !Self.inlineSizes.contains(inlineSize) {
            return "\(inlineSize) bytes of inline RDMA; use 0 to \(Self.inlineSizes.upperBound)"
        }
        if !Self.zeroCopySizes.contains(zeroCopySize) {
            return "RDMA without copies from \(zeroCopySize) bytes on; use 1 or more"
        }
        if !Self.cacheSizes.contains(cacheSize) {
            return "an RDMA cache of \(cacheSize) bytes; use 0 or more"
        }
        if !Self.ringSizes.contains(ringSize) || ringSize % (64 * Self.slotCount) != 0 {
            return
                "an RDMA ring of \(ringSize) bytes; use a multiple of \(64 * Self.slotCount) from "
                + "\(Self.ringSizes.lowerBound) to \(Self.ringSizes.upperBound)"
        }
        return nil
    }
}
