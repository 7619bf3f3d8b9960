import Foundation
import RingCore
import Testing

@testable import RingBenchCommand

/// The program itself, as people and scripts run it.
@Suite struct EndToEndTests {
    @Test(arguments: CollectiveBenchmarks.all.map(\.collective), [1, 2, 3])
    func everyCollectiveIsRightInEveryForm(_ collective: Collective, _ ranks: Int) throws {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        guard ranks >= benchmark.fewestRanks else { return }
        let placements =
            (benchmark.hasInPlace ? ["--in-place"] : []) + (benchmark.hasOutOfPlace ? ["--out-of-place"] : [])
        for placement in placements + [""] {
            let run = try Ringbench.run(
                "\(collective.name) -n \(ranks) -b 1 -e 20000 -f 140 -w 1 -i 2 --format json --root \(ranks - 1) "
                    + "\(placement) --timeout 60")
            #expect(run.status == 0, "\(run.error)")
            let results = try run.results()
            #expect(results.count == (collective == .barrier ? 1 : 3))
            for result in results {
                #expect(result["wrong"] as? Int == 0 && result["checked"] as? Bool == true)
                #expect(result["ranks"] as? Int == ranks && result["iterations"] as? Int == 2)
            }
        }
    }

    /// In turns, a result is checked as any other, and one that is wrong is found.
    @Test(arguments: [false, true]) func pingPong(isWrong: Bool) throws {
        let run = try Ringbench.run(
            "send-recv -n 2 --ping-pong -b 8 -e 400000 -f 50000 -w 1 -i 5 --format json --timeout 60"
                + (isWrong ? " --inject-wrong" : ""))
        #expect(run.status == (isWrong ? 1 : 0), "\(run.error)")
        let results = try run.results()
        #expect(results.count == 2)
        for result in results {
            #expect(result["wrong"] as? Int == (isWrong ? 2 : 0) && result["checked"] as? Bool == true)
            #expect(result["wire_bytes"] as? Int == result["bytes"] as? Int)
        }
        #expect(run.output.contains("\"ping_pong\": true"))
    }

    @Test func anInjectedErrorEndsWithAnotherStatus() throws {
        let run = try Ringbench.run(
            "all-reduce -n 2 -b 400 -e 400 -w 0 -i 1 --inject-wrong --format json --timeout 60")
        #expect(run.status == 1)
        #expect(try run.results().first?["wrong"] as? Int == 2)
        #expect(run.error.contains("rank 1: all-reduce of 100 float32 is wrong: element 50 is "))
    }

    @Test func csvHasALineASize() throws {
        let run = try Ringbench.run("all-gather -n 2 -b 64 -e 256 -f 2 -w 0 -i 1 --format csv --timeout 60")
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count == 4)
    }

    @Test(arguments: [1, 3]) func connectSaysWhatItCosts(_ ranks: Int) throws {
        let run = try Ringbench.run("connect -n \(ranks) --format json")
        #expect(run.status == 0, "\(run.error)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(object["ranks"] as? Int == ranks && object["transport"] is String)
        for (key, _) in ConnectProgram.figures {
            let mean = try #require(object["\(key)_mean"] as? Double)
            let most = try #require(object["\(key)_max"] as? Double)
            #expect(most.isFinite && mean <= most)
        }
        #expect(
            object["connect_ms_mean"] as? Double ?? 0 > 0 && object["process_kib_mean"] as? Double ?? 0 > 0)
        let table = try Ringbench.run("connect -n \(ranks)")
        #expect(table.output.split(separator: "\n").count == ConnectProgram.figures.count + 2)
    }

    @Test(arguments: [
        ("all-reduce", "pass -n N"),
        ("connect", "pass -n N"),
        ("connect -n 0", "--ranks 0 is not a number of ranks"),
        ("connect -n 2 --format csv", "use table or json"),
        ("", "<collective>"),
        ("send-recv -n 1", "send-recv needs at least 2 ranks: no rank sends to itself"),
        ("all-reduce -n 2 -b 4 -e 4 -a no-such-thing", "no-such-thing"),
    ])
    func badInputGetsStatus64(_ arguments: String, _ part: String) throws {
        let run = try Ringbench.run(arguments)
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        #expect(run.error.contains("ringbench: ") && run.error.contains(part))
    }

    @Test func aLauncherThatContradictsItselfIsRefused() throws {
        let run = try Ringbench.run("all-reduce", environment: ["RANK": "5", "WORLD_SIZE": "2"])
        #expect(run.status == 64)
        #expect(run.error.hasPrefix("ringbench: ") && run.error.contains("RANK"))
    }

    @Test func helpAndVersionGoToStandardOutput() throws {
        let help = try Ringbench.run("--help")
        #expect(
            help.status == 0 && help.output.contains("USAGE: ringbench <collective>") && help.error.isEmpty)
        #expect(try Ringbench.run("--version").output == RingBench.version + "\n")
    }

    @Test(arguments: ["table", "csv"])
    func whoeverHasReadEnoughEndsItQuietly(format: String) throws {
        let run = try Ringbench.run(
            "all-reduce -n 2 -b 4 -e 64M -f 1.1 -i 20 --format \(format)", into: "head -n 1")
        #expect(run.output.split(separator: "\n").count == 1)
        #expect(run.error.isEmpty, "\(run.error)")
    }
}

/// A run of the `ringbench` that was built together with these tests.
private struct Ringbench {
    var status: Int32
    var output: String
    var error: String

    /// Runs it, with its output perhaps going through another command of the shell's.
    static func run(
        _ arguments: String, environment additions: [String: String] = [:], into reader: String? = nil
    ) throws -> Ringbench {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let process = Process()
        process.executableURL = tests.deletingLastPathComponent().appendingPathComponent("ringbench")
        process.arguments = arguments.split(separator: " ").map(String.init)
        if let reader, let program = process.executableURL?.path {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "\"$0\" \(arguments) | \(reader)", program]
        }
        // None of what a launcher of the tests themselves may have left. A sanitizer is told what this process was told.
        process.environment = ProcessInfo.processInfo.environment.filter {
            $0.key == "PATH" || $0.key.hasSuffix("SAN_OPTIONS")
        }
        .merging(additions) { $1 }
        process.standardInput = FileHandle.nullDevice
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let timeLimit = DispatchWorkItem { [process] in process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(120), execute: timeLimit)
        defer { timeLimit.cancel() }
        // What goes to standard error always fits its pipe, so one after the other will do.
        let outputText = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let errorText = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Ringbench(status: process.terminationStatus, output: outputText, error: errorText)
    }

    func results() throws -> [[String: Any]] {
        let document = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        return try #require(document?["results"] as? [[String: Any]])
    }
}
