import RingCore
import Testing

@testable import RingBenchCommand

@Suite struct CommandLineTests {
    @Test func defaultsAreThoseOfTheManual() throws {
        let settings = try measured(["all-reduce"])
        #expect(
            settings
                == BenchmarkSettings(
                    collective: .allReduce, sizes: SizeSweep(min: 4, max: 64 << 20, factor: 4)))
    }

    @Test func everyOptionArrives() throws {
        let settings = try measured(
            "broadcast -b 8 -e 1K -f 2 -d int16 -o max --root 3 -t tcp -a ring -z none --zeros 50 -w 1 -i 2 --no-check "
                + "--format csv --timeout 2.5")
        #expect(
            settings
                == BenchmarkSettings(
                    collective: .broadcast, sizes: SizeSweep(min: 8, max: 1024, factor: 2), dataType: .int16,
                    op: .max, root: 3, transport: .tcp, algorithm: "ring", zeros: 50,
                    warmup: 1, iterations: 2, check: false,
                    format: .csv, timeout: .milliseconds(2500)))
    }

    @Test func longNamesAreTheShortOnes() throws {
        let long = try measured(
            "reduce-scatter --min-bytes 8 --max-bytes 1K --step-factor 2 --datatype int16 --op max "
                + "--transport tcp --algorithm ring --compression none --warmup 1 --iterations 2 --out-of-place"
        )
        let short = try measured(
            "reduce-scatter -b 8 -e 1K -f 2 -d int16 -o max -t tcp -a ring -z none -w 1 -i 2 --out-of-place")
        #expect(long == short && !long.inPlace)
    }

    @Test(arguments: DataType.allCases, ReductionOperator.allCases)
    func allTypesAndOperatorsHaveNames(_ dataType: DataType, _ op: ReductionOperator) throws {
        let settings = try measured(["all-reduce", "-d", dataType.name, "-o", op.name])
        #expect(settings.dataType == dataType && settings.op == op)
    }

    @Test(arguments: Collective.allCases)
    func everyCollectiveParses(_ collective: Collective) throws {
        let settings = try measured([collective.name])
        #expect(settings.collective == collective)
        #expect(settings.inPlace == CollectiveBenchmarks.benchmark(for: collective).hasInPlace)
    }

    @Test(arguments: [
        ("all-reduce -n 2 -i 3", "all-reduce -i 3"),
        ("-n 2 all-reduce -i 3", "all-reduce -i 3"),
        ("all-reduce --ranks 2", "all-reduce"),
        ("all-reduce --ranks=2 --check", "all-reduce --check"),
        ("-n=2 all-reduce", "all-reduce"),
    ])
    func ranksAreStartedWithTheOtherArguments(_ line: String, _ expected: String) throws {
        guard case .launch(let ranks, let arguments) = CommandLineStep(arguments: words(line)) else {
            Issue.record("\(line) starts no ranks")
            return
        }
        #expect(ranks == 2 && arguments == words(expected))
        _ = try measured(arguments)
    }

    @Test(arguments: [
        ("", "<collective>"),
        ("all-reduc", "all-reduc"),
        ("all-reduce -b 12Q", "12Q"),
        ("all-reduce -b -4", "-b"),
        ("all-reduce -b 9999999999G", "9999999999G"),
        ("all-reduce -b 2K -e 1K", "--min-bytes 2K is above --max-bytes 1K"),
        ("all-reduce -f 1", "--step-factor 1.0"),
        ("all-reduce -f nan", "--step-factor nan"),
        ("all-reduce -f 1.000001", "more than 10000 sizes"),
        ("all-reduce -d float8", "float8"),
        ("all-reduce -o xor", "xor"),
        ("all-reduce -z zip", "zip"),
        ("all-reduce --zeros 101", "--zeros 101 is no percentage"),
        ("all-reduce -z int8 -d float16", "takes float32, not float16"),
        ("gather -z int8", "gather cannot be compressed"),
        ("all-reduce -z int8 -o product", "no error bound for products"),
        ("all-reduce -t smoke", "smoke"),
        ("all-reduce -n 0", "--ranks 0"),
        ("all-reduce -n 5000", "--ranks 5000"),
        ("all-reduce -w -1", "-w"),
        ("all-reduce -w=-1", "--warmup -1"),
        ("all-reduce -i 0", "--iterations 0"),
        ("all-reduce --timeout 0", "--timeout 0.0"),
        ("all-reduce --timeout inf", "--timeout inf"),
        ("broadcast -n 2 --root 2", "--root 2 is not a rank: there are 2"),
        ("barrier --out-of-place", "barrier has no out-of-place form"),
        ("send-recv --in-place", "send-recv has no in-place form"),
        ("all-reduce --ping-pong", "--ping-pong is for send-recv: leave it out with all-reduce"),
        ("send-recv -n 3 --ping-pong", "--ping-pong is between 2 ranks: there are 3"),
        ("send-recv -n 1", "send-recv needs at least 2 ranks"),
        ("gather -n 2 --root 2", "--root 2 is not a rank: there are 2"),
        ("barrier --inject-wrong", "--inject-wrong"),
        ("all-reduce --inject-wrong --no-check", "--inject-wrong"),
        ("all-reduce -n 300 -d bfloat16", "only with up to 256"),
        ("all-reduce -n 1024 -b 512G", "do not fit this machine's"),
        ("all-reduce --format xml", "xml"),
        ("all-reduce --bogus", "--bogus"),
    ])
    func badInputGetsOneLine(_ line: String, _ part: String) {
        guard case .refuse(let message) = CommandLineStep(arguments: words(line)) else {
            Issue.record("\(line) was accepted")
            return
        }
        #expect(message.contains(part) && !message.contains("\n") && !message.isEmpty)
    }

    @Test(arguments: [["--help"], ["-h"], ["help"], ["all-reduce", "--help"]])
    func helpIsThatOfMeasuring(_ arguments: [String]) {
        guard case .print(let text) = CommandLineStep(arguments: arguments) else {
            Issue.record("no help")
            return
        }
        #expect(text.contains("USAGE: ringbench <collective>") && text.contains("--iterations"))
    }

    @Test func versionIsPrinted() {
        guard case .print(RingBench.version) = CommandLineStep(arguments: ["--version"]) else {
            Issue.record("no version")
            return
        }
    }

    private func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

    private func measured(_ line: String) throws -> BenchmarkSettings { try measured(words(line)) }

    private func measured(_ arguments: [String]) throws -> BenchmarkSettings {
        let step = CommandLineStep(arguments: arguments)
        guard case .measure(let settings) = step else {
            throw CollectiveError(.invalidArgument, "\(arguments) gives \(step)")
        }
        return settings
    }
}
