import RingCore
import RingPlan
import Testing

/// Tuning documents, and the fit of their parameters.
@Suite struct TuningDocumentTests {
    static let document = TuningDocument(
        machine: "host \"a\\b\": a processor", date: "2026-03-01T12:00:00Z", transport: "tcp", processors: 2,
        parameters: .standard,
        measurements: [
            MeasuredTime(
                .allReduce, "ring", ranks: 4, ranksPerHost: 2, elementSize: 4, bytes: 1024, seconds: 1.25e-5),
            MeasuredTime(
                .barrier, "dissemination", ranks: 2, ranksPerHost: 2, elementSize: 1, bytes: 0,
                seconds: 1e-300),
        ])

    private static func read(_ text: String) throws(CollectiveError) -> TuningDocument {
        try TuningDocument(json: Array(text.utf8), source: "FILE")
    }

    @Test func whatIsWrittenIsRead() throws {
        #expect(try Self.read(Self.document.json) == Self.document)
        var empty = Self.document
        empty.measurements = []
        #expect(try Self.read(empty.json) == empty)
    }

    @Test(arguments: [
        ("", "", "it is not JSON"),
        ("{", "[{", "it is not JSON"),
        (
            "\"ring_tuning_version\": 1", "\"ring_tuning_version\": 2",
            "it has version 2, this library reads 1"
        ),
        ("\"ring_tuning_version\": 1,", "", "'ring_tuning_version' is missing"),
        ("\"transport\": \"tcp\",", "", "'transport' is missing"),
        ("\"processors\": 2", "\"processors\": 0", "processors is 0"),
        ("\"processors\": 2", "\"processors\": \"two\"", "processors: a value of another kind"),
        ("\"grain\": 65536.0", "\"grain\": -1", "parameters.grain is out of range"),
        ("\"grain\": 65536.0", "\"grian\": 1", "parameters has no grain"),
        ("\"grain\": 65536.0", "\"grain\": 1, \"speed\": 1", "there is no parameter speed"),
        ("\"bytes\": 1024", "\"bytes\": -1", "measurements[0]: a number is out of range"),
        ("\"seconds\": 1.25e-05", "\"seconds\": 0", "measurements[0]: a number is out of range"),
        ("\"bytes\": 0", "\"bytes\": []", "measurements[1].bytes: a value of another kind"),
        ("\"ranks\": 2,", "", "measurements[1]: 'ranks' is missing"),
        (
            "\"ranks_per_host\": 2, \"element_size\": 4", "\"ranks_per_host\": 5, \"element_size\": 4",
            "measurements[0]"
        ),
        ("\"all-reduce\"", "\"all-produce\"", "measurements[0]: there is no collective 'all-produce'"),
        ("\"ring\"", "\"bruck\"", "measurements[0]: all-reduce has no algorithm 'bruck'"),
    ])
    func whatIsWrongIsSaidInOneLine(_ part: String, _ replacement: String, _ reason: String) throws {
        let json = Self.document.json
        let text: String
        if part.isEmpty {
            text = replacement
        } else {
            text = json.replacing(part, with: replacement, maxReplacements: 1)
            #expect(text != json, "\(json)")
        }
        let error = #expect(throws: CollectiveError.self) { try Self.read(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.hasPrefix("tuning document FILE: ") == true)
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.message.contains("\n") == false)
    }

    /// Rows as a machine of these costs would give them.
    private static func rows(_ parameters: CostParameters) -> [MeasuredTime] {
        var rows: [MeasuredTime] = []
        for algorithm in Planners.names(for: .allReduce) {
            for ranks in [2, 4] {
                for bytes in [4, 4096, 262_144, 16 << 20] {
                    var row = MeasuredTime(
                        .allReduce, algorithm, ranks: ranks, ranksPerHost: ranks, elementSize: 4,
                        bytes: bytes,
                        seconds: 1)
                    row.seconds = CostModel(parameters).predicted(algorithm, row.query(processors: 2))!
                    rows.append(row)
                }
            }
        }
        return rows
    }

    @Test func theFitFindsTheCosts() {
        var costs = CostParameters.standard
        costs.sameHost = LinkCost(latency: 9e-6, perMessage: 0.5e-6, perByte: 0.3e-9)
        costs.reducePerByte = 0.02e-9
        costs.perSwitch = 20e-6
        let rows = Self.rows(costs)
        let before = ParameterFit.deviation(rows, .standard, processors: 2)
        let fitted = ParameterFit.fit(rows, from: .standard, processors: 2)
        let after = ParameterFit.deviation(rows, fitted, processors: 2)
        #expect(before.median > 0.3)
        #expect(after.median < 0.05 && after.largest < 0.3, "\(after)")
        // Nothing is said of what was not measured.
        #expect(fitted.betweenHosts == CostParameters.standard.betweenHosts)
        #expect(fitted.firstInvalidField == nil)
    }

    @Test func noRowsChangeNothing() {
        #expect(ParameterFit.fit([], from: .standard, processors: 2) == .standard)
        #expect(
            ParameterFit.deviation([], .standard, processors: 2)
                == ParameterFit.Deviation(median: 0, largest: 0))
    }
}
