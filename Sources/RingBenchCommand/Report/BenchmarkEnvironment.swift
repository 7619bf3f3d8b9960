import RingCore

/// What ran where: everything besides the sizes that a figure depends on.
struct BenchmarkEnvironment: Equatable, Sendable {
    var machine: MachineDescription
    /// When the run began, in UTC: `2026-03-01T12:00:00Z`.
    var date: String
    var ranks: Int
    var hosts: Int
    /// The fewest and the most ranks on one host.
    var ranksPerHost: ClosedRange<Int>
    var transport: String
    var settings: BenchmarkSettings
}

extension BenchmarkEnvironment {
    /// Finds out what ran where. All ranks call it together.
    init<Subject: BenchmarkSubject>(subject: Subject, settings: BenchmarkSettings) throws {
        let hosts = try subject.combine([subject.localRank == 0 ? 1 : 0], .sum)[0]
        let local = Double(subject.localWorldSize)
        let extremes = try subject.combine([local, -local], .max)
        self.init(
            machine: MachineDescription(), date: MachineDescription.now(), ranks: subject.worldSize,
            hosts: Swift.max(1, Int(hosts)),
            ranksPerHost: Int(-extremes[1])...Int(extremes[0]), transport: subject.transportName,
            settings: settings)
    }

    private var ranksPerHostText: String {
        ranksPerHost.lowerBound == ranksPerHost.upperBound
            ? "\(ranksPerHost.lowerBound)" : "\(ranksPerHost.lowerBound)-\(ranksPerHost.upperBound)"
    }

    /// The operator, where the collective has one.
    private var op: ReductionOperator? {
        let benchmark = CollectiveBenchmarks.benchmark(for: settings.collective)
        return benchmark.semantics == .reduces ? settings.op : nil
    }

    /// The names and values of JSON, in their order.
    var fields: [(name: String, value: JSONValue)] {
        [
            ("version", .string(RingBench.version)),
            ("date", .string(date)),
            ("host", .string(machine.host)),
            ("cpu", .string(machine.processor)),
            ("cores", .integer(machine.cores)),
            ("memory_bytes", .integer(machine.memoryBytes)),
            ("kernel", .string(machine.kernel)),
            ("ranks", .integer(ranks)),
            ("hosts", .integer(hosts)),
            ("ranks_per_host", .string(ranksPerHostText)),
            ("transport", .string(transport)),
            ("system_congestion_control", .string(machine.congestionControl)),
            ("algorithm", .string(settings.algorithm ?? "auto")),
            ("compression", .string(settings.compression.name)),
            ("zeros_percent", .integer(settings.zeros)),
            ("datatype", .string(settings.dataType.name)),
            ("op", .string(op?.name ?? "none")),
            ("in_place", .boolean(settings.inPlace)),
            ("registered", .boolean(settings.isRegistered)),
            ("ping_pong", .boolean(settings.isPingPong)),
            ("checked", .boolean(settings.check)),
        ]
    }

    /// The head of a table, without the lines' leading `#`.
    var headLines: [String] {
        let hostText = hosts == 1 ? "1 host" : "\(hosts) hosts"
        let rankText = ranks == 1 ? "1 rank" : "\(ranks) ranks"
        return [
            "ringbench \(RingBench.version): \(settings.collective.name), \(rankText) on \(hostText) "
                + "(\(ranksPerHostText) per host), \(date)",
            "host \(machine.host): \(machine.processor), \(machine.cores) cores, "
                + "\(ByteText.binary(machine.memoryBytes)) memory, \(machine.kernel)",
            "transport \(transport) (the system's congestion control is \(machine.congestionControl)), "
                + "algorithm \(settings.algorithm ?? "auto"), compression \(settings.compression.name)",
            settings.dataType.name + (op.map { " \($0.name)" } ?? "")
                + (settings.zeros > 0 ? ", \(settings.zeros) % zeros" : "")
                + (settings.inPlace ? ", in place, " : ", out of place, ")
                + (settings.isRegistered ? "registered, " : "")
                + (settings.isPingPong ? "in turns, times of one way, " : "")
                + (settings.check ? "every element checked" : "not checked")
                + "; times of the slowest rank in us, GB/s of 10^9 bytes",
        ]
    }
}

/// Amounts of memory as people read them.
enum ByteText {
    /// `23.4 GiB`
    static func binary(_ bytes: Int) -> String {
        NumberText.fixed(Double(bytes) / Double(1 << 30), digits: 1) + " GiB"
    }
}
