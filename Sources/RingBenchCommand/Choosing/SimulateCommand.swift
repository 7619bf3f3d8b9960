import ArgumentParser
import RingCommandLine
import RingCore
import RingPlan
import RingSystem

/// `ringbench simulate [COLLECTIVE]`: how the cost of each algorithm grows on a described network.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run the plans of up to thousands of ranks through the cost model of a described network.",
        discussion: """
            Nothing is sent and no ranks are started. Where there are not too many transfers, the plans of all ranks \
            are run against the clock (by: events); else the formula answers that the library chooses by (by: formula).

            EXAMPLE:
              ringbench simulate all-reduce --ranks 2..4096 --bytes 4K,4M,1G --latency 10us --bandwidth 25gbit \
            --ranks-per-host 8
            """
    )

    @Argument(help: "The collective.")
    var collective: Named<Collective> = Named(.allReduce)

    @Option(
        name: [.customShort("n"), .long], help: "Numbers of ranks: 8, or 2,4,8, or 2..4096, which doubles.")
    var ranks = RankList([2, 8, 64, 512, 4096])

    @Option(
        name: [.customShort("b"), .long],
        help: "Sizes of the buffer: 4M, or 4K,4M, or 4..1G, by factors of 16.")
    var bytes = SizeList([1 << 10, 64 << 10, 4 << 20, 256 << 20])

    @Option(name: [.customShort("d"), .long], help: "The type of the elements.")
    var datatype: Named<DataType> = Named(.float32)

    @Option(help: "From when a message is handed over until a rank of another host has it: 10us, 1ms.")
    var latency = TimeSpan(seconds: CostParameters.standard.betweenHosts.latency)

    @Option(help: "What a host's network carries each way: 25gbit, 3GB.")
    var bandwidth = Bandwidth(bytesPerSecond: CostParameters.standard.betweenHosts.bandwidth)

    @Option(help: "How many ranks are on one host.")
    var ranksPerHost: Int = 1

    @Option(help: "How many processors a host has. (default: one a rank)")
    var processors: Int?

    @Option(help: "A tuning document, for all other costs.")
    var tuning: String?

    @Option(help: "How the results are written: table or json.")
    var format: ReportFormat = .table

    func validate() throws {
        try collective.value.requireAlgorithms()
        for count in ranks.counts + [ranksPerHost] {
            guard (1...Self.mostRanks).contains(count) else {
                throw ValidationError("\(count) ranks are out of range: give 1 to \(Self.mostRanks)")
            }
        }
        if let processors, processors < 1 { throw ValidationError("--processors must be 1 or more") }
        guard format != .csv else {
            throw ValidationError("--format csv is not for simulate: use table or json")
        }
    }

    /// The most ranks that are simulated.
    static let mostRanks = 4096

    /// The results as text.
    func report() throws -> String {
        var parameters = try tuning.map { try TuningDocument(file: $0).parameters } ?? .standard
        parameters.betweenHosts.latency = latency.seconds
        parameters.betweenHosts.bandwidth = bandwidth.bytesPerSecond
        let study = SimulationStudy(
            collective: collective.value, dataType: datatype.value, ranks: ranks.counts,
            bytes: collective.value == .barrier ? [0] : bytes.sizes, ranksPerHost: ranksPerHost,
            processors: processors ?? ranksPerHost, model: CostModel(parameters))
        return format == .json ? try study.json() : try study.table()
    }
}
