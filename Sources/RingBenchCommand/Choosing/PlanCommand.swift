import ArgumentParser
import RingCollectives
import RingCommandLine
import RingCore
import RingPlan
import RingSystem

/// `ringbench plan COLLECTIVE`: writes plans as text, and proves those in a file.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Write the plans of all ranks as text, or prove those in a file.",
        discussion: """
            Nothing is sent and no ranks are started. A plan is one rank's list of steps: what it sends, what it \
            receives and whether it reduces, and what each waits for. Whoever changes the text can prove it, and then \
            run it: any collective takes --algorithm file:PLAN, which proves it once more. A plan is for one number of \
            elements, and as many ranks.

            EXAMPLES:
              ringbench plan all-reduce -n 4 --bytes 1M --algorithm ring > ring.plan
              ringbench plan --prove ring.plan
              ringbench all-reduce -n 4 --algorithm file:ring.plan
            """
    )

    @Argument(help: "The collective.")
    var collective: Named<Collective>?

    @Option(name: [.customShort("n"), .long], help: "How many ranks there are.")
    var ranks: Int?

    @Option(name: [.customShort("b"), .long], help: "The size of the buffer, as ringbench counts it.")
    var bytes: ByteSize = ByteSize(bytes: 0)

    @Option(name: [.customShort("d"), .long], help: "The type of the elements.")
    var datatype: Named<DataType> = Named(.float32)

    @Option(name: [.customShort("a"), .long], help: "The algorithm by name; auto: what the library chooses.")
    var algorithm: String = "auto"

    @Option(help: "The root of a collective that has one.")
    var root: Int = 0

    @Option(help: "Write the plan of this rank only.")
    var rank: Int?

    @Flag(
        exclusivity: .chooseLast,
        help: "Whether the result replaces the input or has its own buffer. (default: in place, if it can)")
    var placement: Placement?

    @Option(help: "Prove the plans in this file, and say what they send.")
    var prove: String?

    func validate() throws {
        if prove != nil {
            guard collective == nil, ranks == nil else {
                throw ValidationError("--prove takes no collective and no --ranks: the file says them")
            }
            return
        }
        guard let collective = collective?.value else {
            throw ValidationError("the collective is missing: name one, or give --prove FILE")
        }
        try collective.requireAlgorithms()
        guard let ranks else { throw ValidationError("--ranks is missing: give how many there are") }
        try ExplainCommand.requireRanks(ranks, "--ranks")
        guard collective == .barrier || bytes.bytes > 0 else {
            throw ValidationError("--bytes is missing: give the size of the buffer, such as 4M")
        }
        if let rank, !(0..<ranks).contains(rank) {
            throw ValidationError("--rank \(rank) is not a rank: there are \(ranks), numbered from 0")
        }
        if collective.isRooted, !(0..<ranks).contains(root) {
            throw ValidationError("--root \(root) is not a rank: there are \(ranks), numbered from 0")
        }
    }

    /// The plans, or what their proof found.
    func report() throws -> String {
        do {
            if let prove { return Self.summary(try PlanFile(contentsOf: prove)) }
            let plans = try self.plans()
            if let rank { return plans[rank].description.trimmed }
            return PlanFile.text(of: plans).trimmed
        } catch let error as CollectiveError {
            throw ValidationError(error.message)
        }
    }

    private func plans() throws -> [Plan] {
        let collective = collective!.value
        let ranks = ranks!
        let question = ChoiceQuestion(
            collective, bytes: bytes.bytes, dataType: datatype.value,
            topology: RankTopology(worldSize: ranks, ranksPerHost: nil, processors: Processors.available))
        let benchmark = collective == .barrier ? nil : CollectiveBenchmarks.benchmark(for: collective)
        let isInPlace = (placement ?? (benchmark?.hasInPlace ?? true ? .inPlace : .outOfPlace)) == .inPlace
        let requests = (0..<ranks).map { rank in
            var request = question.query.planRequest(rank: rank)
            if collective.isRooted { request.root = root }
            request.isInPlace = isInPlace
            return request
        }
        let name =
            algorithm == "auto"
            ? Selector().choose(question.query, among: Planners.candidates(for: requests[0])).algorithm
            : Planners.resolved(algorithm, for: collective)
        return try requests.map { try Planners.plan($0, algorithm: name) }
    }

    private static func summary(_ file: PlanFile) -> String {
        let plan = file.plans[0]
        let root = plan.root.map { ", root \($0)" } ?? ""
        let sent = file.traffic.elementsSent
        let messages = file.traffic.messagesSent
        return """
            proved: \(plan.collective.name) by \(plan.algorithm), \(plan.worldSize) ranks\(root), \
            \(plan.elementCount) elements, \(plan.isInPlace ? "in place" : "out of place")
            steps in a row: \(file.traffic.criticalPath)
            elements sent by a rank: \(sent.min() ?? 0) to \(sent.max() ?? 0)
            messages sent by a rank: \(messages.min() ?? 0) to \(messages.max() ?? 0)
            """
    }
}

extension String {
    /// The text without the line break at its end, which printing adds.
    fileprivate var trimmed: String { hasSuffix("\n") ? String(dropLast()) : self }
}
