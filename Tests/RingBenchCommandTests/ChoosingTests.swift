import Foundation
import RingCore
import RingPlan
import Testing

@testable import RingBenchCommand

/// `ringbench explain`, `simulate` and `tune`.
@Suite struct ChoosingTests {
    private static func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

    private static func explain(_ line: String, _ environment: [String: String] = [:]) throws -> String {
        let command = try #require(try RingBench.parse(arguments: words(line)) as? ExplainCommand)
        return try command.report(environment: environment)
    }

    private static func simulate(_ line: String) throws -> String {
        try #require(try RingBench.parse(arguments: words(line)) as? SimulateCommand).report()
    }

    private static func object(_ json: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    }

    // MARK: explain

    @Test func explainShowsTheCandidatesAndTheChoice() throws {
        let text = try Self.explain("explain all-reduce -n 8 --bytes 4M --processors 2")
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "# all-reduce of 4M (1048576 float32), 8 ranks, 8 per host, 2 processors a host")
        #expect(lines[1] == "# costs: the library's defaults")
        #expect(Self.words(lines[2]).prefix(3) == ["algorithm", "predicted", "(us)"])
        let names = lines[3..<lines.count - 1].map { Self.words($0)[0] }
        #expect(names == Planners.names(for: .allReduce))
        #expect(lines.filter { $0.hasSuffix("<- chosen") }.count == 1)
        #expect(lines.last?.contains("is predicted to be the fastest") == true)
    }

    @Test(arguments: Collective.allCases.filter { $0 != .sendReceive }, [2, 7])
    func everyCollectiveIsExplained(_ collective: Collective, _ ranks: Int) throws {
        let json = try Self.object(
            try Self.explain("explain \(collective.name) -n \(ranks) -b 1M -d float64 --format json"))
        #expect(json["collective"] as? String == collective.name && json["ranks"] as? Int == ranks)
        let candidates = try #require(json["candidates"] as? [[String: Any]])
        #expect(candidates.map { $0["algorithm"] as? String } == Planners.names(for: collective))
        #expect(candidates.allSatisfy { $0["predicted_us"] is Double && $0["measured_us"] is NSNull })
        #expect(Planners.names(for: collective).contains(json["algorithm"] as? String ?? ""))
    }

    @Test func explainKnowsCompression() throws {
        let line = "explain all-reduce -n 8 -b 16M --ranks-per-host 1 -z int4"
        let lines = try Self.explain(line).split(separator: "\n").map(String.init)
        #expect(lines[0].hasPrefix("# all-reduce of 16M (4194304 float32 in int4), 8 ranks"))
        #expect(lines.contains { $0.hasPrefix("direct ") && $0.hasSuffix("<- chosen") })
        #expect(!lines.contains { $0.hasPrefix("recursive-doubling") })
        let json = try Self.object(try Self.explain(line + " --format json"))
        #expect(json["compression"] as? String == "int4")
    }

    @Test func explainTakesTuningAndWishes() throws {
        let document = TuningDocument(
            machine: "a machine", date: "a day", transport: "tcp", processors: 3, parameters: .standard,
            measurements: [
                MeasuredTime(
                    .allReduce, "direct", ranks: 4, ranksPerHost: 4, elementSize: 4, bytes: 1024,
                    seconds: 1e-5)
            ])
        let file = NSTemporaryDirectory() + "ringbench-\(UUID().uuidString).json"
        try document.json.write(toFile: file, atomically: true, encoding: .utf8)
        let line = "explain all-reduce -n 4 -b 1K"
        for text in [
            try Self.explain(line + " --tuning \(file)"), try Self.explain(line, ["RING_TUNING": file]),
        ] {
            #expect(text.contains("3 processors a host") && text.contains("(a machine, a day)"))
            #expect(text.contains("# direct is the only one whose time is known"))
        }
        let wanted = try Self.explain(line, ["RING_ALGORITHM": "ring", "RING_TUNING": ""])
        #expect(wanted.hasSuffix("# ring was asked for"))
        #expect(throws: (any Error).self) { try Self.explain(line, ["RING_ALGORITHM": "rung"]) }
    }

    @Test(arguments: [
        ("explain all-reduce -n 8", "--bytes is missing"), ("explain all-reduce -b 4M", "--ranks"),
        ("explain all-reduce -n 0 -b 4M", "--ranks 0 is out of range"),
        ("explain send-recv -n 2 -b 4", "send-recv has no algorithms"),
        ("explain all-reduce -n 2 -b 4 -z int8 -d int16", "--compression int8 takes float32, not int16"),
        ("explain all-reduce -n 2 -b 4 --format csv", "--format csv is not for explain"),
        (
            "explain all-reduce -n 2 -b 4 --tuning /nonexistent",
            "tuning document /nonexistent: it cannot be read"
        ),
        ("simulate all-reduce --ranks 4097", "4097 ranks are out of range"),
        ("simulate all-reduce --ranks 8..4", "8..4"), ("simulate all-reduce --latency 10", "10"),
        ("simulate all-reduce --bandwidth 0gbit", "0gbit"),
        ("tune -n 1", "--ranks 1 is not a number of ranks"),
        ("tune -n 2 --collectives barrier", "barrier has no algorithms to choose among"),
        ("tune -n 2 --collectives all", "'all' is not a collective"),
    ])
    func whatCannotBeRightIsRefused(_ line: String, _ reason: String) {
        guard case .refuse(let text) = CommandLineStep(arguments: Self.words(line)) else {
            Issue.record("\(line) is not refused")
            return
        }
        #expect(text.contains(reason), "\(text)")
        #expect(!text.contains("\n"))
    }

    // MARK: simulate

    @Test func simulateShowsHowCostsGrow() throws {
        let text = try Self.simulate(
            "simulate all-reduce --ranks 2..8 --bytes 4,1M --latency 10us --bandwidth 25gbit --ranks-per-host 2"
        )
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0].contains("between hosts 10.0 us, 25.0 Gbit/s; 2 ranks a host, 2 processors a host"))
        #expect(lines.count == 3 + 3 * 2 * Planners.names(for: .allReduce).count)
        #expect(lines.filter { $0.hasSuffix("<- chosen") }.count == 6)
    }

    @Test func simulateAnswersForThousandsOfRanks() throws {
        let json = try Self.object(
            try Self.simulate("simulate all-reduce -n 16,1024 -b 4K --latency 10us --format json"))
        let rows = try #require(json["results"] as? [[String: Any]])
        func row(_ algorithm: String, _ ranks: Int) throws -> [String: Any] {
            try #require(
                rows.first { $0["algorithm"] as? String == algorithm && $0["ranks"] as? Int == ranks })
        }
        #expect(try row("binomial-tree", 1024)["by"] as? String == "events")
        #expect(try row("ring", 16)["by"] as? String == "events")
        #expect(try row("ring", 1024)["by"] as? String == "formula")
        #expect(try row("recursive-doubling", 1024)["steps"] as? Int == 10)
        let ring = try row("ring", 1024)["time_us"] as? Double ?? 0
        let tree = try row("binomial-tree", 1024)["time_us"] as? Double ?? 0
        #expect(ring > 20 * tree)
        #expect(rows.filter { $0["chosen"] as? Bool == true }.count == 2)
    }

    // MARK: quantities

    @Test func quantitiesAreRead() {
        #expect(TimeSpan(argument: "10us")?.seconds == 10 * 1e-6)
        #expect(TimeSpan(argument: "1.5ms")?.seconds == 1.5 * 1e-3)
        #expect(TimeSpan(argument: "2s")?.seconds == 2)
        #expect(Bandwidth(argument: "25gbit")?.bytesPerSecond == 3.125e9)
        #expect(Bandwidth(argument: "3GB")?.bytesPerSecond == 3e9)
        #expect(RankList(argument: "2..16")?.counts == [2, 4, 8, 16])
        #expect(RankList(argument: "3,6..13")?.counts == [3, 6, 12])
        #expect(SizeList(argument: "4..1K,2M")?.sizes == [4, 64, 1024, 2 << 20])
        for wrong in ["", "us", "10", "-1us", "nanus", "1e999s"] { #expect(TimeSpan(argument: wrong) == nil) }
        for wrong in ["", "25", "0gbit", "-1GB"] { #expect(Bandwidth(argument: wrong) == nil) }
        for wrong in ["", "0", "4..2", "2..", "a", "2,,4"] { #expect(RankList(argument: wrong) == nil) }
    }

    // MARK: tune

    @Test func tuneStartsRanksAndKnowsItsDefaults() throws {
        guard
            case .launch(let ranks, let arguments) = CommandLineStep(
                arguments: Self.words("tune -n 4 --output x"))
        else {
            Issue.record("tune -n starts no ranks")
            return
        }
        #expect(ranks == 4 && arguments == ["tune", "--output", "x"])
        guard
            case .merge(let files, "c") = CommandLineStep(
                arguments: Self.words("tune --merge a b --output c"))
        else {
            Issue.record("tune --merge does not merge")
            return
        }
        #expect(files == ["a", "b"])
        guard case .tune(let settings) = CommandLineStep(arguments: ["tune"]) else {
            Issue.record("tune without -n is not a rank")
            return
        }
        #expect(settings.collectives == Collective.allCases.filter { Planners.names(for: $0).count > 1 })
        #expect(
            settings.output == "ring-tuning.json"
                && settings.sizes == SizeSweep(min: 4, max: 64 << 20, factor: 4))
    }

    @Test func everyAlgorithmIsMeasured() async throws {
        let settings = TuningSettings(
            collectives: [.allReduce, .allToAll], sizes: SizeSweep(min: 4, max: 1024, factor: 16),
            dataType: .float32, secondsEach: 1e-5, output: "")
        let outcomes = await FakeWorld(ranks: 3).run { rank in
            try Tuner(subject: rank, settings: settings, log: { _ in }).measure(
                ranksPerHost: 3, processors: 2)
        }
        let rows = try outcomes.map { try $0.get() }
        #expect(rows[0] == rows[1] && rows[0] == rows[2])
        #expect(rows[0].allSatisfy { $0.seconds > 0 && $0.ranks == 3 && $0.elementSize == 4 })
        for name in Planners.names(for: .allReduce) {
            #expect(rows[0].contains { $0.collective == .allReduce && $0.algorithm == name && $0.bytes == 4 })
        }
        // The whole of an all-to-all is all ranks' buffers, of one element a block at least.
        #expect(rows[0].contains { $0.collective == .allToAll && $0.bytes == 36 })
        let document = TuningDocument(
            machine: "m", date: "d", transport: "tcp", processors: 2, parameters: .standard,
            measurements: rows[0])
        let text = TuningReport(document: document, output: "out.json").text
        #expect(text.hasPrefix("# m, tcp, d\n") && text.contains("RING_TUNING=out.json uses it"))
        #expect(text.contains("# same_host_latency: "))
    }
}
