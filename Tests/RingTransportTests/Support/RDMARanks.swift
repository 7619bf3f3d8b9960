import Logging
import RingCore
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// RDMA transports in one process, over software devices.
struct RDMARanks {
    let fabric: SoftwareFabric
    let verbs: [SoftwareVerbs]
    let transports: [RDMATransport]

    /// Small rings, so that they fill and come round often.
    static func options(slotSize: Int = 4096, slotCount: Int = 32) -> RDMAOptions {
        var options = RDMAOptions()
        options.slotSize = slotSize
        options.slotCount = slotCount
        return options
    }

    /// The transport of one rank, which has not met the others.
    static func transport(
        rank: Rank, worldSize: Int = 2, _ verbs: SoftwareVerbs, on fabric: SoftwareFabric,
        _ options: RDMAOptions = options(), key: UInt64 = 1,
        makeWatch: @escaping @Sendable () throws(SystemError) -> any MemoryWatch = {
            () throws(SystemError) -> any MemoryWatch in try UserfaultWatch()
        }
    ) throws -> RDMATransport {
        try RDMATransport(
            rank: rank, worldSize: worldSize, host: "here", options: options,
            authenticator: KeyedSum(key: key), verbs: verbs, interfaces: fabric.interfaces,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, makeWatch: makeWatch)
    }

    /// The transports of all ranks, which have met.
    init(
        _ worldSize: Int = 2, _ options: RDMAOptions = options(), fabric: SoftwareFabric = SoftwareFabric()
    ) throws {
        try self.init(verbs: (0..<worldSize).map { _ in fabric.verbs() }, options, fabric: fabric)
    }

    /// The transports of ranks that make these calls, which have met.
    init(verbs: [SoftwareVerbs], _ options: RDMAOptions = options(), fabric: SoftwareFabric) throws {
        self.fabric = fabric
        self.verbs = verbs
        transports = try verbs.enumerated().map {
            try Self.transport(rank: $0.offset, worldSize: verbs.count, $0.element, on: fabric, options)
        }
        for transport in transports { try transport.meet(transports.map(\.card)) }
    }

    /// Waits until nothing exists any more; what does, once the time is over.
    static func leftOver(on fabric: SoftwareFabric) -> [String: Int] {
        let deadline = Deadline.after(.seconds(60))
        while !fabric.liveObjects().isEmpty, !deadline.hasPassed { usleep(1000) }
        return fabric.liveObjects()
    }
}
