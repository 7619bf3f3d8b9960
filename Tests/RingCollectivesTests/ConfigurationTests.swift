import Logging
import RingBootstrap
import RingCore
import RingSystem
import Testing

@testable import RingCollectives

/// What the environment says, and what no communicator is made from.
@Suite struct ConfigurationTests {
    private static let launcher = [
        "RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "6000",
    ]

    private static func configuration(_ variables: [String: String] = [:]) throws -> Configuration {
        try Configuration.fromEnvironment(launcher.merging(variables) { $1 })
    }

    private static func location(_ configuration: Configuration) -> StoreLocation? {
        if case .location(let location) = configuration.store.kind { location } else { nil }
    }

    // MARK: The environment

    @Test func theLauncherSaysWhoIsWhere() throws {
        let configuration = try Self.configuration()
        #expect(configuration.rank == 1)
        #expect(configuration.worldSize == 4)
        #expect(Self.location(configuration) == .tcp(host: "10.0.0.1", port: 6000))
        #expect(configuration.jobSecret == nil)
        try configuration.validate()
    }

    @Test func unsetAndEmptyVariablesLeaveTheDefaults() throws {
        let names = [
            "RING_TRANSPORT", "RING_INTERFACE", "RING_PORT_RANGE", "RING_CHANNELS", "RING_CONGESTION_CONTROL",
            "RING_SOCKET_BUFFER", "RING_SEGMENT_SIZE", "RING_PIECE_SIZE", "RING_SPIN", "RING_TIMEOUT",
            "RING_CONNECT_TIMEOUT", "RING_LOG_LEVEL", "RING_KERNELS", "RING_ALGORITHM", "RING_TUNING",
        ]
        let empty = Dictionary(uniqueKeysWithValues: names.map { ($0, "") })
        for variables in [[:], empty] {
            let configuration = try Self.configuration(variables)
            #expect(configuration.transport == TransportOptions())
            #expect(configuration.algorithms == "auto")
            #expect(configuration.tuningFile == nil)
            #expect(configuration.timeout == .seconds(300))
            #expect(configuration.connectTimeout == .seconds(60))
            #expect("\(configuration.logger.logLevel)" == "warning")
        }
    }

    @Test func theJobsVariablesLand() throws {
        let configuration = try Self.configuration([
            "RING_STORE": "file:///somewhere/shared", "RING_JOB_ID": "job 7", "RING_JOB_SECRET": "geheim",
        ])
        #expect(Self.location(configuration) == .file(directory: "/somewhere/shared"))
        #expect(configuration.jobIdentifier == "job 7")
        #expect(configuration.jobSecret == Array("geheim".utf8))
    }

    @Test func choosingsVariablesLand() throws {
        let configuration = try Self.configuration([
            "RING_ALGORITHM": "all-reduce=direct,broadcast=binomial-tree", "RING_TUNING": "/etc/ring.json",
        ])
        #expect(configuration.algorithms == "all-reduce=direct,broadcast=binomial-tree")
        #expect(configuration.tuningFile == "/etc/ring.json")
    }

    @Test func transportVariablesLand() throws {
        /// A variable, and what becomes of the options that it sets.
        let cases: [(String, String, (inout TransportOptions) -> Void)] = [
            ("RING_TRANSPORT", "auto", { $0.kind = .automatic }),
            ("RING_TRANSPORT", "tcp", { $0.kind = .tcp }),
            ("RING_TRANSPORT", "rdma", { $0.kind = .rdma }),
            ("RING_INTERFACE", "eth0", { $0.interfaces = ["eth0"] }),
            ("RING_INTERFACE", "eth0, 10.0.0.0/8,::1", { $0.interfaces = ["eth0", "10.0.0.0/8", "::1"] }),
            ("RING_PORT_RANGE", "5000", { $0.portRange = 5000...5000 }),
            ("RING_PORT_RANGE", "1-65535", { $0.portRange = 1...65535 }),
            ("RING_CHANNELS", "1", { $0.channels = 1 }),
            ("RING_CHANNELS", "64", { $0.channels = 64 }),
            ("RING_CONGESTION_CONTROL", "bbr", { $0.congestionControl = "bbr" }),
            ("RING_SOCKET_BUFFER", "4096", { $0.socketBufferSize = 4096 }),
            ("RING_SOCKET_BUFFER", "1G", { $0.socketBufferSize = 1 << 30 }),
            ("RING_SEGMENT_SIZE", "64K", { $0.segmentSize = 65_536 }),
            ("RING_PIECE_SIZE", "2M", { $0.pieceSize = 2 << 20 }),
            ("RING_RDMA_DEVICE", "mlx5_0:1", { $0.rdma.device = "mlx5_0:1" }),
            ("RING_RDMA_TRAFFIC_CLASS", "255", { $0.rdma.trafficClass = 255 }),
            ("RING_RDMA_SERVICE_LEVEL", "15", { $0.rdma.serviceLevel = 15 }),
            ("RING_RDMA_RETRIES", "0", { $0.rdma.retries = 0 }),
            ("RING_RDMA_MTU", "4096", { $0.rdma.mtu = 4096 }),
            ("RING_RDMA_INLINE", "0", { $0.rdma.inlineSize = 0 }),
            ("RING_RDMA_ZERO_COPY", "64K", { $0.rdma.zeroCopySize = 64 << 10 }),
            ("RING_RDMA_CACHE", "0", { $0.rdma.cacheSize = 0 }),
            ("RING_RDMA_CACHE", "64M", { $0.rdma.cacheSize = 64 << 20 }),
            ("RING_RDMA_RING", "256K", { $0.rdma.ringSize = 256 << 10 }),
            ("RING_SPIN", "0", { $0.spin = .zero }),
            ("RING_SPIN", "1000000", { $0.spin = .seconds(1) }),
        ]
        for (name, text, change) in cases {
            var expected = TransportOptions()
            change(&expected)
            #expect(try Self.configuration([name: text]).transport == expected, "\(name)=\(text)")
        }
    }

    @Test(arguments: [
        ("1", Duration.seconds(1)), ("1.5", .milliseconds(1500)), ("1e9", .seconds(1_000_000_000)),
        ("0.00001", .milliseconds(1)),
    ])
    func timeoutsLand(text: String, duration: Duration) throws {
        let operations = try Self.configuration(["RING_TIMEOUT": text])
        #expect(operations.timeout == duration)
        #expect(operations.connectTimeout == .seconds(60))
        let connections = try Self.configuration(["RING_CONNECT_TIMEOUT": text])
        #expect(connections.connectTimeout == duration)
        #expect(connections.timeout == .seconds(300))
    }

    @Test(arguments: ["trace", "debug", "info", "notice", "warning", "error", "critical"])
    func logLevelsLand(text: String) throws {
        #expect("\(try Self.configuration(["RING_LOG_LEVEL": text]).logger.logLevel)" == text)
    }

    /// The limit holds for the whole process, so this one has a process of its own.
    @Test func kernelLevelsLand() async {
        await #expect(processExitsWith: .success) {
            let launcher = ["RANK": "0", "WORLD_SIZE": "1", "RING_KERNELS": "baseline"]
            _ = try Configuration.fromEnvironment(launcher)
            let error = #expect(throws: CollectiveError.self) {
                try Configuration.fromEnvironment(launcher.merging(["RING_KERNELS": "avx2"]) { $1 })
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("limited to baseline") == true)
        }
    }

    @Test(arguments: [
        ("RING_TRANSPORT", ["infiniband", "TCP", " tcp"]),
        ("RING_INTERFACE", [",", "eth0,", "eth0,,eth1", " "]),
        ("RING_PORT_RANGE", ["0", "0-9", "9-8", "65536", "1-65536", "-", "5000-", "-5000", "1-2-3", "http"]),
        ("RING_CHANNELS", ["0", "65", "-1", "1.5", "two", "99999999999999999999"]),
        ("RING_SOCKET_BUFFER", ["4095", "2G", "-64K", "64KB", "big", "9999999999G"]),
        ("RING_SEGMENT_SIZE", ["4095", "2G", "-64K", "64KB", "big", "0"]),
        ("RING_PIECE_SIZE", ["4095", "2G", "-64K", "64KB", "big", "0"]),
        ("RING_SPIN", ["-1", "1000001", "0.5", "fast"]),
        ("RING_TIMEOUT", ["0", "-1", "nan", "inf", "1e10", "1 s", "soon"]),
        ("RING_CONNECT_TIMEOUT", ["0", "-1", "nan", "inf", "1e10", "1 s", "soon"]),
        ("RING_LOG_LEVEL", ["loud", "DEBUG", "4"]),
        ("RING_ALGORITHM", ["rinf", "all-reduce", "all-reduce=bruck", "reduce-all=ring", "ring,", "a=b=c"]),
        ("RING_KERNELS", ["sse9", "AVX2"]),
        ("RING_STORE", ["udp://host:1", "tcp://host", "file://relative", "nowhere"]),
        ("RING_JOB_SECRET_FILE", ["/nonexistent/secret"]),
        ("RANK", ["4", "-1", "x"]),
    ])
    func whatCannotBeRightIsNamed(name: String, texts: [String]) {
        for text in texts {
            let error = #expect(throws: CollectiveError.self, "\(name)=\(text)") {
                try Self.configuration([name: text])
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(name) == true, "\(name)=\(text): \(error?.message ?? "")")
            #expect(error?.message.contains(text) == true, "\(name)=\(text): \(error?.message ?? "")")
            #expect(error?.message.contains("\n") == false)
        }
    }

    @Test func whatIsNoSettingIsNamedWithTheNearestOne() {
        let known: Set = ["RING_TIMEOUT", "RING_SPIN", "RING_STORE"]
        func warning(_ names: String...) -> String? { UnknownSettings(in: names, known: known).warning }
        #expect(warning("RING_SPIN", "PATH", "RINGS", "RING_BUILD_DOCUMENTATION") == nil)
        #expect(
            warning("RING_TIMOUT", "RING_SPIN")
                == "RING_TIMOUT (did you mean RING_TIMEOUT?) is not a setting and has no effect")
        #expect(
            warning("RING_STOER", "RING_")
                == "RING_ (did you mean RING_SPIN?), RING_STOER (did you mean RING_STORE?) are not settings and "
                + "have no effect")
    }

    @Test func everyVariableThatIsReadIsASetting() throws {
        let read = ["RING_JOB_ID": "x", "RING_SPIN": "1", "RING_KERNELS": "", "RING_TIMEOUT": "5"]
        let settings = SettingReader(read.merging(["RING_SPINN": "1"]) { $1 })
        var configuration = try Self.configuration()
        try configuration.apply(settings)
        #expect(settings.unknown.names.map(\.unknown) == ["RING_SPINN"])
    }

    @Test func withoutALauncherTheErrorSaysWhatToDo() {
        for environment in [[:], ["RING_CHANNELS": "2", "PATH": "/bin"]] {
            let error = #expect(throws: CollectiveError.self) {
                try Configuration.fromEnvironment(environment)
            }
            #expect(error?.code == .invalidConfiguration)
            for word in ["no launcher", "ringrun", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"] {
                #expect(error?.message.contains(word) == true)
            }
        }
    }

    // MARK: Validation

    @Test func whatIsAtTheLimitsIsValid() throws {
        var configuration = Configuration.single()
        try configuration.validate()
        configuration.timeout = .nanoseconds(1)
        configuration.connectTimeout = .nanoseconds(1)
        configuration.jobIdentifier = String(repeating: "j", count: 100)
        configuration.transport.spin = .zero
        for (channels, size) in [(1, 4096), (64, 1 << 30)] {
            configuration.transport.channels = channels
            configuration.transport.pieceSize = size
            configuration.transport.segmentSize = size
            configuration.transport.socketBufferSize = size
            try configuration.validate()
        }
    }

    @Test func eachBadFieldIsRefused() {
        /// What to spoil, and a word of the error.
        let cases: [(String, (inout Configuration) -> Void)] = [
            ("world size", { $0.worldSize = 0 }),
            ("world size", { $0.worldSize = -1 }),
            ("rank must be 0 to 0", { $0.rank = 1 }),
            ("rank must be 0 to 0", { $0.rank = -1 }),
            ("timeouts", { $0.timeout = .zero }),
            ("timeouts", { $0.timeout = .seconds(-1) }),
            ("timeouts", { $0.connectTimeout = .zero }),
            ("channels", { $0.transport.channels = 0 }),
            ("channels", { $0.transport.channels = 65 }),
            ("piece of 4095", { $0.transport.pieceSize = 4095 }),
            ("piece of", { $0.transport.pieceSize = .max }),
            ("segment of 0", { $0.transport.segmentSize = 0 }),
            ("segment of", { $0.transport.segmentSize = (1 << 30) + 1 }),
            ("socket buffer of -1", { $0.transport.socketBufferSize = -1 }),
            ("spin", { $0.transport.spin = .nanoseconds(-1) }),
            ("service level of 16", { $0.transport.rdma.serviceLevel = 16 }),
            ("8 RDMA retries", { $0.transport.rdma.retries = 8 }),
            ("MTU of 1500", { $0.transport.rdma.mtu = 1500 }),
            ("-1 bytes of inline", { $0.transport.rdma.inlineSize = -1 }),
            ("ring of 65537 bytes", { $0.transport.rdma.ringSize = 65_537 }),
            ("cache of -1 bytes", { $0.transport.rdma.cacheSize = -1 }),
            ("job identifier of 0", { $0.jobIdentifier = "" }),
            ("job identifier of 102", { $0.jobIdentifier = String(repeating: "ä", count: 51) }),
        ]
        for (word, spoil) in cases {
            var configuration = Configuration.single()
            spoil(&configuration)
            let error = #expect(throws: CollectiveError.self) { try configuration.validate() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(word) == true, "\(word): \(error?.message ?? "")")
        }
    }

    // MARK: The engine

    @Test func ranksThatShareProcessorsYieldThem() {
        var configuration = Configuration.single()
        let processors = Processors.available
        let roomy = configuration.engineOptions(localWorldSize: processors)
        #expect(roomy.spinNanoseconds == 50_000 && !roomy.yields)
        let crowded = configuration.engineOptions(localWorldSize: processors + 1)
        #expect(crowded.spinNanoseconds == 400_000 && crowded.yields)
        configuration.transport.channels = 2
        #expect(configuration.engineOptions(localWorldSize: processors).yields)
        // Who says how long has it so.
        configuration.transport.spin = .microseconds(7)
        let short = configuration.engineOptions(localWorldSize: processors + 1)
        #expect(short.spinNanoseconds == 7_000 && short.yields)
        configuration.transport.spin = .zero
        #expect(configuration.engineOptions(localWorldSize: 1).spinNanoseconds == 0)
    }

    @Test(arguments: [(4096, 4096), (4097, 4096), (4159, 4096), (4160, 4160)])
    func segmentsHoldWholeElements(size: Int, segment: Int) {
        var configuration = Configuration.single()
        configuration.transport.segmentSize = size
        #expect(configuration.engineOptions(localWorldSize: 1).segmentSize == segment)
    }
}
