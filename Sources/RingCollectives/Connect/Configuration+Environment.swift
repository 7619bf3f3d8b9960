import Logging
import RingBootstrap
import RingCore
import RingKernels
import RingPlan
import RingSystem

extension Configuration {
    /// The configuration that a launcher and the user left in this process's environment.
    ///
    /// The launchers are those of `LaunchEnvironment`; the library's own variables are listed in
    /// `Docs/Configuration.md`. Throws `.invalidConfiguration` naming the variable that cannot be right, or saying that
    /// no launcher has set any.
    public static func fromEnvironment() throws -> Configuration {
        try fromEnvironment(ProcessEnvironment.variables)
    }

    /// The configuration in these variables.
    public static func fromEnvironment(_ environment: [String: String]) throws -> Configuration {
        guard let launch = try LaunchEnvironment.read(from: environment) else {
            throw CollectiveError(
                .invalidConfiguration,
                "no launcher has said which rank this process is: start it with ringrun, torchrun, mpirun or srun, "
                    + "or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT")
        }
        var configuration = Configuration(
            rank: launch.rank, worldSize: launch.worldSize,
            store: launch.store.map { .location($0) } ?? .custom(InMemoryStore()),
            jobIdentifier: launch.jobIdentifier ?? "default")
        configuration.jobSecret = launch.jobSecret
        let settings = SettingReader(environment)
        try configuration.apply(settings)
        // Every rank has the same launcher, so one speaks for all.
        if configuration.rank == 0, let warning = settings.unknown.warning {
            configuration.logger.warning("\(warning)")
        }
        return configuration
    }

    /// Takes over the library's own settings.
    mutating func apply(_ settings: SettingReader) throws {
        if let text = settings["RING_TRANSPORT"] {
            guard let kind = TransportOptions.Kind(rawValue: text) else {
                throw settings.invalid("RING_TRANSPORT", "one of auto, tcp, rdma")
            }
            transport.kind = kind
        }
        if let text = settings["RING_INTERFACE"] {
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
            transport.interfaces = names.map { $0.filter { $0 != " " } }
            guard !transport.interfaces.contains("") else {
                throw settings.invalid(
                    "RING_INTERFACE",
                    "names, CIDRs or addresses with commas between them, such as eth0,10.0.0.0/8")
            }
        }
        transport.portRange = try settings.portRange("RING_PORT_RANGE")
        transport.channels =
            try settings.number("RING_CHANNELS", in: TransportOptions.channelCounts) ?? transport.channels
        transport.congestionControl = settings["RING_CONGESTION_CONTROL"]
        transport.socketBufferSize = try settings.byteCount("RING_SOCKET_BUFFER", in: TransportOptions.sizes)
        transport.segmentSize =
            try settings.byteCount("RING_SEGMENT_SIZE", in: TransportOptions.sizes) ?? transport.segmentSize
        transport.pieceSize =
            try settings.byteCount("RING_PIECE_SIZE", in: TransportOptions.sizes) ?? transport.pieceSize
        transport.spin =
            try settings.number("RING_SPIN", in: 0...1_000_000).map { .microseconds($0) } ?? transport.spin
        try applyRDMA(settings)
        if let text = settings["RING_ALGORITHM"] {
            do {
                _ = try AlgorithmOverrides(text)
            } catch {
                throw CollectiveError(.invalidConfiguration, "RING_ALGORITHM is '\(text)': \(error.message)")
            }
            algorithms = text
        }
        tuningFile = settings["RING_TUNING"]
        timeout = try settings.seconds("RING_TIMEOUT") ?? timeout
        connectTimeout = try settings.seconds("RING_CONNECT_TIMEOUT") ?? connectTimeout
        if let text = settings["RING_LOG_LEVEL"] {
            guard let level = Logger.Level(rawValue: text) else {
                throw settings.invalid(
                    "RING_LOG_LEVEL", "trace, debug, info, notice, warning, error or critical")
            }
            logger.logLevel = level
        }
        if let text = settings["RING_KERNELS"] {
            guard let level = KernelLevel(name: text) else {
                throw settings.invalid(
                    "RING_KERNELS", "one of " + KernelLevel.allCases.map(\.name).joined(separator: ", "))
            }
            try KernelLevel.limit(to: level)
        }
    }

    private mutating func applyRDMA(_ settings: SettingReader) throws {
        transport.rdma.device = settings["RING_RDMA_DEVICE"]
        transport.rdma.trafficClass = try settings.number("RING_RDMA_TRAFFIC_CLASS", in: 0...255)
            .map { UInt8($0) }
        transport.rdma.serviceLevel = try settings.number(
            "RING_RDMA_SERVICE_LEVEL", in: RDMASettings.serviceLevels
        ).map { UInt8($0) }
        transport.rdma.retries =
            try settings.number("RING_RDMA_RETRIES", in: RDMASettings.retryCounts).map { UInt8($0) }
            ?? transport.rdma.retries
        transport.rdma.mtu = try settings.number("RING_RDMA_MTU", in: 256...4096)
        transport.rdma.inlineSize =
            try settings.number("RING_RDMA_INLINE", in: RDMASettings.inlineSizes) ?? transport.rdma.inlineSize
        transport.rdma.zeroCopySize =
            try settings.byteCount("RING_RDMA_ZERO_COPY", in: RDMASettings.zeroCopySizes)
            ?? transport.rdma.zeroCopySize
        transport.rdma.cacheSize =
            try settings.byteCount("RING_RDMA_CACHE", in: RDMASettings.cacheSizes) ?? transport.rdma.cacheSize
        transport.rdma.ringSize =
            try settings.byteCount("RING_RDMA_RING", in: RDMASettings.ringSizes) ?? transport.rdma.ringSize
    }
}

/// Reads the library's own variables, and says what is wrong with one.
///
/// It remembers which it was asked for: those are the variables that there are.
final class SettingReader {
    private let environment: [String: String]
    private var known = Set(LaunchEnvironment.ownVariables)

    init(_ environment: [String: String]) {
        self.environment = environment
    }

    /// A variable's text; nil if it is unset or empty.
    subscript(name: String) -> String? {
        known.insert(name)
        return environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The variables that nobody has asked for, once all have been read.
    var unknown: UnknownSettings { UnknownSettings(in: environment.keys, known: known) }

    func invalid(_ name: String, _ wanted: String) -> CollectiveError {
        CollectiveError(
            .invalidConfiguration, "\(name) is '\(environment[name] ?? "")'; it must be \(wanted)")
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw invalid(name, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A size in bytes, with `K`, `M` or `G` for powers of 1,024.
    func byteCount(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard let size = ByteSize(text)?.bytes, range.contains(size) else {
            throw invalid(
                name,
                "a size in bytes such as 65536, 64K or 4M, from \(range.lowerBound) to \(range.upperBound)")
        }
        return size
    }

    func seconds(_ name: String) throws -> Duration? {
        guard let text = self[name] else { return nil }
        guard let value = Double(text), value > 0, value <= 1e9 else {
            throw invalid(name, "a number of seconds")
        }
        return .milliseconds(Int64(max(1, value * 1000)))
    }

    func portRange(_ name: String) throws -> ClosedRange<UInt16>? {
        guard let text = self[name] else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard (1...2).contains(parts.count), let first = parts[0], let last = parts.last ?? first, first > 0,
            first <= last
        else { throw invalid(name, "a port or a range such as 5000-5099") }
        return first...last
    }
}
