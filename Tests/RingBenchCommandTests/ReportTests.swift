import Foundation
import RingCore
import Testing

@testable import RingBenchCommand

@Suite struct ReportTests {
    private let result = BenchmarkResult(
        collective: .allReduce, bytes: 1 << 20, count: 1 << 18, dataType: .float32, op: .sum, root: nil,
        algorithm: "ring", transport: "tcp", compression: "none", inPlace: true, ranks: 4, warmup: 3,
        iterations: 5,
        time: TimingSummary(nanoseconds: [100_000, 300_000, 200_000, 400_000]), busFactor: 1.5, wrong: 0,
        wireBytes: 1_572_864, elementBytes: 1_572_864)

    private let environment = BenchmarkEnvironment(
        machine: MachineDescription(
            host: "node\"1\"", processor: "A \\ B", cores: 2, memoryBytes: 24 << 30,
            kernel: "Linux 6.8 x86_64",
            congestionControl: "bbr"),
        date: "2026-03-01T12:00:00Z", ranks: 4, hosts: 1, ranksPerHost: 4...4, transport: "tcp",
        settings: BenchmarkSettings(collective: .allReduce, sizes: SizeSweep(min: 4, max: 4, factor: 2)))

    /// Scripts rely on these names.
    private static let documentedKeys: Set = [
        "collective", "bytes", "count", "datatype", "op", "algorithm", "transport", "compression", "ranks",
        "iterations", "time_us_mean", "time_us_min", "time_us_p50", "time_us_p99", "time_us_max", "algbw_gbs",
        "busbw_gbs", "wrong", "wire_bytes",
    ]

    @Test func jsonIsOneDocumentWithAllKeys() throws {
        let reporter = JSONReporter()
        let text =
            reporter.begin(environment) + reporter.result(result)
            + reporter.end(environment, [result, result])
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(Set(document.keys) == ["environment", "results"])
        let described = try #require(document["environment"] as? [String: Any])
        #expect(described["host"] as? String == "node\"1\"" && described["cpu"] as? String == "A \\ B")
        #expect(described["ranks_per_host"] as? String == "4")
        let results = try #require(document["results"] as? [[String: Any]])
        #expect(results.count == 2)
        #expect(Self.documentedKeys.isSubset(of: Set(results[0].keys)))
        #expect(results[0]["bytes"] as? Int == 1 << 20)
        #expect(results[0]["time_us_mean"] as? Double == 250)
        #expect(results[0]["time_us_p50"] as? Double == 200)
        #expect(results[0]["algbw_gbs"] as? Double == 4.194304)
        #expect(results[0]["busbw_gbs"] as? Double == 6.291456)
        #expect(results[0]["wire_bytes"] as? Int == 1_572_864)
    }

    @Test func jsonWithoutResultsIsADocument() throws {
        let text = JSONReporter().end(environment, [])
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect((document["results"] as? [Any])?.isEmpty == true)
    }

    @Test func csvHasTheKeysOfJSON() throws {
        let reporter = CSVReporter()
        let lines =
            (reporter.begin(environment) + reporter.result(result) + reporter.end(environment, [result]))
            .split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].split(separator: ",").map(String.init) == result.fields.map(\.name))
        #expect(
            lines[1].hasPrefix(
                "all-reduce,1048576,262144,float32,sum,-1,ring,tcp,none,true,4,3,5,250.0,100.0"))
    }

    @Test func tableColumnsAreAligned() {
        let reporter = TableReporter()
        var large = result
        large.algorithm = "recursive-doubling"
        large.time = TimingSummary(nanoseconds: [123_456_789])
        large.wrong = nil
        let text = reporter.begin(environment) + reporter.result(result) + reporter.result(large)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.filter { !$0.hasPrefix("#") }.count == 2)
        let (head, first, second) = (lines[lines.count - 4], lines[lines.count - 2], lines[lines.count - 1])
        #expect(head.count == first.count && first.count == second.count)
        #expect(head.hasSuffix("wrong") && first.hasSuffix(" 0") && second.hasSuffix("N/A"))
        #expect(
            first.split(separator: " ").map(String.init) == [
                "1048576", "262144", "float32", "sum", "-1", "ring", "5", "250.00", "100.00", "200.00",
                "400.00", "400.00",
                "4.194", "6.291", "0",
            ])
    }

    @Test func tableEndsWithTheAverage() {
        var other = result
        other.busFactor = 0
        other.wrong = 3
        #expect(
            TableReporter().end(environment, [result, other])
                == "# average busbw: 3.146 GB/s, wrong elements: 3\n")
    }

    @Test func theSlowestRankIsTheOneWithTheLargestMean() {
        let fast = TimingSummary(nanoseconds: [9_000, 1_000, 2_000])
        let slow = TimingSummary(nanoseconds: [5_000, 6_000, 7_000])
        #expect(TimingSummary(slowestOf: fast.figures + slow.figures + fast.figures) == slow)
        #expect(slow.min == 5 && slow.p50 == 6 && slow.p99 == 7 && slow.max == 7 && slow.mean == 6)
    }

    @Test func percentilesAreNearestRanks() {
        let summary = TimingSummary(nanoseconds: (1...200).shuffled().map { UInt64($0) * 1_000 })
        #expect(summary.min == 1 && summary.p50 == 100 && summary.p99 == 198 && summary.max == 200)
    }

    @Test(arguments: [
        (0.0, 2, "0.00"), (1.005, 1, "1.0"), (-0.001, 2, "0.00"), (-2.5, 0, "-3"), (12.3456, 3, "12.346"),
        (1e300, 2, "1e+300"),
    ])
    func numbersAreRounded(_ value: Double, _ digits: Int, _ text: String) {
        #expect(NumberText.fixed(value, digits: digits) == text)
    }

    @Test func csvFieldsAreQuotedWhereTheyMustBe() {
        #expect(JSONValue.string("a,\"b\"").csvField == "\"a,\"\"b\"\"\"")
        #expect(JSONValue.string("ring").csvField == "ring")
        #expect(JSONValue.number(.nan).text == "null")
        #expect(JSONValue.string("a\tb\u{1}").text == "\"a\\u0009b\\u0001\"")
    }

    @Test func processorModelIsRead() {
        let text = "processor\t: 0\nmodel name\t: AMD  EPYC 7763\n\nmodel name\t: other\n"
        #expect(MachineDescription.processorModel(in: text) == "AMD EPYC 7763")
        #expect(MachineDescription.processorModel(in: "CPU implementer: 0x41") == nil)
    }
}
