import Foundation
import RingCore
import RingPlan
import Testing

@testable import RingBenchCommand

/// Plans as text: what `ringbench plan` writes, and what `--algorithm file:` takes.
@Suite struct PlanCommandTests {
    private static func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

    private static func report(_ line: String) throws -> String {
        try #require(try RingBench.parse(arguments: words(line)) as? PlanCommand).report()
    }

    private static func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let path = NSTemporaryDirectory() + "ring-plan-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test(arguments: Collective.allCases.filter { !Planners.names(for: $0).isEmpty })
    func whatIsWrittenIsProved(_ collective: Collective) throws {
        for algorithm in Planners.names(for: collective) + ["auto"] {
            let size = collective == .barrier ? "" : " --bytes 4K"
            let text = try Self.report("plan \(collective.name) -n 4\(size) -a \(algorithm) -d float64")
            let summary = try Self.withFile(text) { try Self.report("plan --prove \($0)") }
            #expect(summary.hasPrefix("proved: \(collective.name) by "))
            if algorithm != "auto" { #expect(summary.contains(" by \(algorithm), 4 ranks")) }
            #expect(summary.contains("steps in a row: "))
        }
    }

    @Test func formsRootsAndSingleRanks() throws {
        let text = try Self.report("plan broadcast -n 3 -b 16 --root 2 -a tree --out-of-place --rank 1")
        let plan = try Plan(parsing: text)
        #expect(plan.algorithm == "binomial-tree" && plan.root == 2 && plan.rank == 1 && !plan.isInPlace)
        #expect(plan.elementCount == 4)
    }

    @Test(arguments: [
        ("plan", "the collective is missing"),
        ("plan all-reduce -b 4", "--ranks is missing"),
        ("plan all-reduce -n 2", "--bytes is missing"),
        ("plan all-reduce -n 2 -b 4 -a rings", "\"rings\" is not an algorithm for all-reduce: use one of"),
        ("plan all-reduce -n 2 -b 4 --rank 2", "--rank 2 is not a rank"),
        ("plan reduce -n 2 -b 4 --root 2", "--root 2 is not a rank"),
        ("plan send-recv -n 2 -b 4", "send-recv has no algorithms"),
        ("plan --prove /nowhere/at/all", "it cannot be read"),
        ("plan --prove x -n 2", "--prove takes no collective"),
    ])
    func whatCannotBeWrittenIsRefused(_ line: String, _ reason: String) {
        guard case .refuse(let text) = CommandLineStep(arguments: Self.words(line)) else {
            Issue.record("\(line) was accepted")
            return
        }
        #expect(text.contains(reason), "\(text)")
    }

    /// Without sizes, those of the plans are measured.
    @Test func aFileSaysWhatIsMeasured() throws {
        let text = try Self.report("plan all-to-all -n 3 -b 36 -d int16")
        try Self.withFile(text) { path in
            guard
                case .measure(let settings) = CommandLineStep(
                    arguments: ["all-to-all", "-d", "int16", "-a", "file:\(path)"])
            else {
                Issue.record("it measures nothing")
                return
            }
            #expect(settings.sizes == SizeSweep(min: 36, max: 36, factor: SizeSweep.defaultFactor))
            #expect(settings.algorithm == "file:\(path)")
            try settings.validate(worldSize: 3)
        }
    }

    @Test(arguments: [
        ("all-reduce -n 3", "--ranks is 3, there 2"),
        ("all-reduce -n 2 -b 8", "the number of elements is 2, there 4"),
        ("broadcast -n 2", "the collective is broadcast, there all-reduce"),
        ("all-reduce -n 2 --out-of-place", "the form is out of place, there in place"),
    ])
    func aFileForAnotherCallIsRefused(_ line: String, _ reason: String) throws {
        let text = try Self.report("plan all-reduce -n 2 -b 16")
        try Self.withFile(text) { path in
            let arguments = Self.words(line) + ["-a", "file:\(path)"]
            guard case .refuse(let text) = CommandLineStep(arguments: arguments) else {
                Issue.record("\(line) was accepted")
                return
            }
            #expect(text.contains("the plan file \(path) is for another call: \(reason)"), "\(text)")
        }
    }
}
