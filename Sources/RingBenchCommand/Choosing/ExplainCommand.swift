import ArgumentParser
import RingCommandLine
import RingCore
import RingPlan
import RingSystem

/// `ringbench explain COLLECTIVE`: shows how an algorithm is chosen.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract:
            "Show the algorithms for a call, what each is predicted or was measured to take, and the choice.",
        discussion: """
            Nothing is sent and no ranks are started. The prediction is that of the library's cost model, with the \
            costs of the tuning document if one is given (or named by RING_TUNING). RING_ALGORITHM counts here as \
            it does in a job.

            EXAMPLE:
              ringbench explain all-reduce -n 8 --bytes 4M
            """
    )

    @Argument(help: "The collective.")
    var collective: Named<Collective>

    @Option(name: [.customShort("n"), .long], help: "How many ranks there are.")
    var ranks: Int

    @Option(name: [.customShort("b"), .long], help: "The size of the buffer, as ringbench counts it.")
    var bytes: ByteSize = ByteSize(bytes: 0)

    @Option(name: [.customShort("d"), .long], help: "The type of the elements.")
    var datatype: Named<DataType> = Named(.float32)

    @Option(name: [.customShort("z"), .long], help: "How elements are compressed on their way.")
    var compression: Named<Compression> = Named(.none)

    @Option(help: "How many ranks are on one host. (default: all)")
    var ranksPerHost: Int?

    @Option(help: "How many processors a host has. (default: this machine's, or the tuning document's)")
    var processors: Int?

    @Option(help: "The tuning document, as ringbench tune writes it. (default: that of RING_TUNING)")
    var tuning: String?

    @Option(help: "How the answer is written: table or json.")
    var format: ReportFormat = .table

    func validate() throws {
        try collective.value.requireAlgorithms()
        try Self.requireRanks(ranks, "--ranks")
        if let ranksPerHost { try Self.requireRanks(ranksPerHost, "--ranks-per-host") }
        if let processors, processors < 1 { throw ValidationError("--processors must be 1 or more") }
        guard format != .csv else {
            throw ValidationError("--format csv is not for explain: use table or json")
        }
        guard compression.value.accepts(datatype.value) else {
            throw ValidationError(
                "--compression \(compression.value.name) takes float32, not \(datatype.value.name)")
        }
        guard collective.value == .barrier || bytes.bytes > 0 else {
            throw ValidationError("--bytes is missing: give the size of the buffer, such as 4M")
        }
    }

    static func requireRanks(_ ranks: Int, _ option: String) throws {
        guard (1...Plan.largestWorldSize).contains(ranks) else {
            throw ValidationError("\(option) \(ranks) is out of range: give 1 to \(Plan.largestWorldSize)")
        }
    }

    /// The answer, given the environment's variables.
    func report(environment: [String: String]) throws -> String {
        let file = tuning ?? environment["RING_TUNING"].flatMap { $0.isEmpty ? nil : $0 }
        let document = try file.map { try TuningDocument(file: $0) }
        let overrides: AlgorithmOverrides
        do {
            overrides = try AlgorithmOverrides(
                environment["RING_ALGORITHM"].flatMap { $0.isEmpty ? nil : $0 } ?? "auto")
        } catch {
            throw ValidationError("RING_ALGORITHM: \(error.message)")
        }
        let question = ChoiceQuestion(
            collective.value, bytes: bytes.bytes, dataType: datatype.value,
            topology: RankTopology(
                worldSize: ranks, ranksPerHost: ranksPerHost,
                processors: processors ?? document?.processors ?? Processors.available),
            compression: compression.value)
        let report = ExplainReport(
            question: question,
            selector: document?.selector(overrides: overrides) ?? Selector(overrides: overrides),
            source: document.map { "\(file ?? "") (\($0.machine), \($0.date))" } ?? "the library's defaults")
        return format == .json ? report.json : report.table
    }
}
