import RingCore

/// What was measured for one size.
struct BenchmarkResult: Equatable, Sendable {
    var collective: Collective
    /// The whole buffer's size.
    var bytes: Int
    var count: Int
    var dataType: DataType
    /// The operator; nil for collectives that do not reduce.
    var op: ReductionOperator?
    /// The root; nil for collectives without one.
    var root: Rank?
    var algorithm: String
    var transport: String
    var compression: String
    var inPlace: Bool
    var ranks: Int
    var warmup: Int
    var iterations: Int
    /// The times of the slowest rank.
    var time: TimingSummary
    /// See ``CollectiveBenchmark/busFactor(ranks:)``.
    var busFactor: Double
    /// Elements that were not as expected and guard bytes that were written, on all ranks; nil if not checked.
    var wrong: Int?
    /// The bytes of payload that rank 0 sent in one operation.
    var wireBytes: Int
    /// The bytes of the elements that they stood for: as many, unless they were compressed.
    var elementBytes: Int
    /// The largest difference between an element and the exact result, on all ranks; nil if not checked.
    var largestError: Double?
}

extension BenchmarkResult {
    /// Bytes of the whole buffer per time of the slowest rank, in 10^9 bytes a second.
    var algorithmBandwidth: Double { time.mean > 0 ? Double(bytes) / (time.mean * 1e3) : 0 }

    /// ``algorithmBandwidth`` times the collective's factor, which can be held against the hardware's speed.
    var busBandwidth: Double { algorithmBandwidth * busFactor }

    /// How many bytes of elements each byte sent stood for.
    var ratio: Double { wireBytes > 0 ? Double(elementBytes) / Double(wireBytes) : 1 }

    /// The names and values of JSON and CSV, in their order.
    var fields: [(name: String, value: JSONValue)] {
        Self.columns.map { ($0.name, $0.value(self)) }
    }

    /// The names alone.
    static var fieldNames: [String] { columns.map(\.name) }

    /// Scripts rely on the names: more may be added, none changed.
    private static let columns: [(name: String, value: @Sendable (Self) -> JSONValue)] = [
        ("collective", { .string($0.collective.name) }),
        ("bytes", { .integer($0.bytes) }),
        ("count", { .integer($0.count) }),
        ("datatype", { .string($0.dataType.name) }),
        ("op", { .string($0.op?.name ?? "none") }),
        ("root", { .integer($0.root ?? -1) }),
        ("algorithm", { .string($0.algorithm) }),
        ("transport", { .string($0.transport) }),
        ("compression", { .string($0.compression) }),
        ("in_place", { .boolean($0.inPlace) }),
        ("ranks", { .integer($0.ranks) }),
        ("warmup", { .integer($0.warmup) }),
        ("iterations", { .integer($0.iterations) }),
        ("time_us_mean", { .number($0.time.mean) }),
        ("time_us_min", { .number($0.time.min) }),
        ("time_us_p50", { .number($0.time.p50) }),
        ("time_us_p99", { .number($0.time.p99) }),
        ("time_us_max", { .number($0.time.max) }),
        ("algbw_gbs", { .number($0.algorithmBandwidth) }),
        ("busbw_gbs", { .number($0.busBandwidth) }),
        ("checked", { .boolean($0.wrong != nil) }),
        ("wrong", { .integer($0.wrong ?? 0) }),
        ("wire_bytes", { .integer($0.wireBytes) }),
        ("ratio", { .number($0.ratio) }),
        ("error_max", { .number($0.largestError ?? 0) }),
    ]
}
