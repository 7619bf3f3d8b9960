import ArgumentParser
import RingCommandLine
import RingCore
import RingLaunch
import RingPlan

/// `ringbench tune`: measures every algorithm briefly and writes what the library needs to choose well.
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract:
            "Measure every algorithm over a sweep of sizes, fit the cost model, and write a tuning document.",
        discussion: """
            The document holds the measured times, for this number of ranks, and the costs that explain them best, \
            for any other. The library uses it where RING_TUNING names it.

            EXAMPLE:
              ringbench tune -n 4 --output tuning.json
              RING_TUNING=tuning.json ringbench all-reduce -n 4
              ringbench tune --merge tuning-2.json tuning-4.json --output tuning.json
            """
    )

    @Option(
        name: [.customShort("n"), .long],
        help: "Start this many ranks on this machine. Without it, be one rank of the launcher's job.")
    var ranks: Int?

    @Option(help: "The file to write.")
    var output: String = "ring-tuning.json"

    @Option(help: "The collectives to measure, with commas between them. (default: all that have a choice)")
    var collectives: String?

    @Option(name: [.customShort("b"), .long], help: "The smallest size.")
    var minBytes: ByteSize = ByteSize(bytes: 4)

    @Option(name: [.customShort("e"), .long], help: "The largest size.")
    var maxBytes: ByteSize = ByteSize(bytes: 64 << 20)

    @Option(name: [.customShort("f"), .long], help: "Each size is the one before times this.")
    var stepFactor: Double = SizeSweep.defaultFactor

    @Option(name: [.customShort("d"), .long], help: "The type of the elements.")
    var datatype: Named<DataType> = Named(.float32)

    @Option(help: "How long each algorithm is measured at each size, three times, beside its first run.")
    var time = TimeSpan(seconds: 0.01)

    @Option(
        parsing: .upToNextOption,
        help:
            "Measure nothing: put the measured times of these documents together and fit the costs to all of them."
    )
    var merge: [String] = []

    func validate() throws {
        guard merge.isEmpty || ranks == nil else {
            throw ValidationError("--merge measures nothing: leave out --ranks")
        }
        if let ranks, !(2...LocalLauncher.mostRanks).contains(ranks) {
            throw ValidationError(
                "--ranks \(ranks) is not a number of ranks: give one from 2 to \(LocalLauncher.mostRanks)")
        }
        guard time.seconds <= 10 else { throw ValidationError("--time is above 10s") }
        _ = try settings()
    }

    /// What to measure.
    func settings() throws -> TuningSettings {
        let names = collectives.map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let wanted = try names?.map { name in
            guard let collective = Collective(name: name) else {
                throw ValidationError("--collectives: '\(name)' is not a collective")
            }
            guard Planners.names(for: collective).count > 1 else {
                throw ValidationError("--collectives: \(name) has no algorithms to choose among")
            }
            return collective
        }
        return TuningSettings(
            collectives: wanted ?? Collective.allCases.filter { Planners.names(for: $0).count > 1 },
            sizes: try SizeSweep(minBytes: minBytes, maxBytes: maxBytes, factor: stepFactor),
            dataType: datatype.value, secondsEach: time.seconds, output: output)
    }
}

/// What `ringbench tune` measures.
struct TuningSettings: Equatable, Sendable {
    var collectives: [Collective]
    var sizes: SizeSweep
    var dataType: DataType
    /// How long an algorithm is measured at a size, in each of three rounds.
    var secondsEach: Double
    /// The file to write.
    var output: String
}
