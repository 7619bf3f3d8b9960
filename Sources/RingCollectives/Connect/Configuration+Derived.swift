import Logging
import RingBootstrap
import RingCore
import RingPlan
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTCP

extension Configuration {
    /// Throws `.invalidConfiguration`, or `.unsupported`, in one line that says what to change.
    func validate() throws(CollectiveError) {
        func invalid(_ reason: String) -> CollectiveError {
            CollectiveError(.invalidConfiguration, "rank \(rank) of \(worldSize): \(reason)", peer: rank)
        }
        guard worldSize >= 1 else { throw invalid("the world size must be at least 1") }
        guard rank >= 0, rank < worldSize else { throw invalid("the rank must be 0 to \(worldSize - 1)") }
        guard timeout > .zero, connectTimeout > .zero else { throw invalid("timeouts must be positive") }
        guard TransportOptions.channelCounts.contains(transport.channels) else {
            throw invalid(
                "\(transport.channels) channels; use 1 to \(TransportOptions.channelCounts.upperBound)")
        }
        guard transport.interfaces.count <= 64 else {
            throw invalid("\(transport.interfaces.count) interfaces; use 64 at most")
        }
        let sizes = [
            ("piece", transport.pieceSize), ("segment", transport.segmentSize),
            ("socket buffer", transport.socketBufferSize),
        ]
        for case (let name, let size?) in sizes where !TransportOptions.sizes.contains(size) {
            throw invalid(
                "a \(name) of \(size) bytes; use \(TransportOptions.sizes.lowerBound) to "
                    + "\(TransportOptions.sizes.upperBound)")
        }
        if let spin = transport.spin, spin < .zero {
            throw invalid("a spin of less than no time; use 0 or more")
        }
        guard (1...Self.longestJobIdentifier).contains(jobIdentifier.utf8.count) else {
            throw invalid(
                "a job identifier of \(jobIdentifier.utf8.count) bytes; use 1 to \(Self.longestJobIdentifier)"
            )
        }
        do {
            _ = try AlgorithmOverrides(algorithms)
        } catch {
            throw invalid(error.message)
        }
        if let flaw = transport.rdma.flaw { throw invalid(flaw) }
    }

    /// So long that the store's keys, which begin with it, are within the store's limits.
    private static let longestJobIdentifier = 100

    /// What the keys of this communicator begin with in the store.
    var storePrefix: String { "\(jobIdentifier)/0" }

    var tcpOptions: TCPOptions {
        var options = TCPOptions()
        options.interfaces = transport.interfaces
        options.portRange = transport.portRange
        options.congestionControl = transport.congestionControl
        options.socketBufferSize = transport.socketBufferSize.map { Int32(clamping: $0) }
        options.pieceSize = transport.pieceSize
        if transport.channels > 1 { options.unsentLimit = Int32(clamping: transport.pieceSize) }
        options.routeHint = routeHint
        return options
    }

    var rdmaOptions: RDMAOptions {
        var options = RDMAOptions()
        options.interfaces = transport.interfaces
        options.portRange = transport.portRange
        options.routeHint = routeHint
        options.device = transport.rdma.device
        options.trafficClass = transport.rdma.trafficClass
        options.serviceLevel = transport.rdma.serviceLevel
        options.retryCount = transport.rdma.retries
        options.mtu = transport.rdma.mtu
        options.inlineSize = transport.rdma.inlineSize
        options.fewestLentBytes = transport.rdma.zeroCopySize
        // The other half is for links and for registered buffers, which cannot do without.
        options.cachedBytes = min(
            transport.rdma.cacheSize, Int(clamping: LockedMemory.limit.map { $0 / 2 } ?? .max))
        options.slotCount = RDMASettings.slotCount
        options.slotSize = transport.rdma.ringSize / RDMASettings.slotCount
        return options
    }

    /// The address of the store, which every rank must reach anyway, if it has one.
    private var routeHint: SocketAddress? {
        guard case .location(.tcp(let host, let port)) = store.kind else { return nil }
        // A name that cannot be looked up has been reported by the store already.
        return try? SocketAddress.resolve(host: host, port: port, by: .after(connectTimeout)).first
    }

    var authenticator: any LinkAuthenticator { SecretAuthenticator(JobAuthenticator(secret: jobSecret)) }

    /// What the communicators of this job go by.
    func settings(
        localWorldSize: Int, transport: String, basis: ChoiceBasis
    ) throws(CollectiveError) -> Communicator.Settings {
        Communicator.Settings(
            timeout: timeout, options: engineOptions(localWorldSize: localWorldSize),
            selector: basis.selector(transport: transport, overrides: try AlgorithmOverrides(algorithms)),
            processors: basis.processors, logger: logger)
    }

    func engineOptions(localWorldSize: Int) -> EngineOptions {
        var options = EngineOptions()
        options.channels = transport.channels
        // A frame that ended within an element could not be reduced.
        options.segmentSize = transport.segmentSize / EngineOptions.segmentUnit * EngineOptions.segmentUnit
        options.pieceSize = transport.pieceSize
        options.yields = localWorldSize * transport.channels > Processors.available
        if let spin = transport.spin {
            options.spinNanoseconds = spin.clampedNanoseconds
            options.farthestSpinNanoseconds = options.spinNanoseconds
        } else if options.yields {
            options.spinNanoseconds = EngineOptions.yieldingNanoseconds
            options.farthestSpinNanoseconds = options.spinNanoseconds
        }
        return options
    }
}

extension TransportOptions {
    /// What sizes in bytes may be.
    static let sizes = 4096...(1 << 30)
    /// How many channels there may be.
    static let channelCounts = 1...64
}

/// The job's secret as links use it.
private struct SecretAuthenticator: LinkAuthenticator {
    private let authenticator: JobAuthenticator

    init(_ authenticator: JobAuthenticator) {
        self.authenticator = authenticator
    }

    func proof(label: String, transcript: [UInt8]) -> [UInt8] {
        authenticator.proof(label: label, transcript: transcript)
    }
}
