package import RingCore

extension Plan {
    /// Reads one plan from its text, as ``description`` writes it.
    ///
    /// Empty lines, and lines that begin with `#`, are passed over. Only the text's form is checked here:
    /// prove what comes from outside with ``Simulator`` before running it.
    ///
    /// - Throws: `invalidArgument`, naming the line and what was expected there.
    package init(parsing text: String) throws(CollectiveError) {
        let plans = try Self.plans(parsing: text)
        guard let plan = plans.first, plans.count == 1 else {
            throw CollectiveError(.invalidArgument, "plan: expected one plan, found \(plans.count)")
        }
        self = plan
    }

    /// Reads any number of plans, each as ``description`` writes it, from one text: for example all ranks'.
    ///
    /// - Throws: `invalidArgument`, naming the line and what was expected there.
    package static func plans(parsing text: String) throws(CollectiveError) -> [Plan] {
        try numberedPlans(parsing: text).map(\.plan)
    }

    /// The same, with the number of the line that each plan starts on.
    static func numberedPlans(parsing text: String) throws(CollectiveError) -> [(plan: Plan, line: Int)] {
        var plans: [(plan: Plan, line: Int)] = []
        // Bytes, not characters: to Swift, "\r\n" is one character that is not "\n".
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            var scanner = PlanScanner(line, line: index + 1)
            if scanner.isAtEnd || scanner.take("#") { continue }
            if scanner.take("plan") {
                plans.append((try scanner.header(), index + 1))
            } else if plans.isEmpty {
                throw scanner.failure("expected a header, \"plan COLLECTIVE by ALGORITHM, ...\"")
            } else {
                let step = try scanner.step(plans[plans.count - 1].plan.steps.count)
                plans[plans.count - 1].plan.steps.append(step)
            }
        }
        return plans
    }
}

extension PlanScanner {
    /// More chunks than any plan has use for; a guard against a text that asks for all memory.
    private static var mostChunks: Int { 1 << 20 }

    fileprivate mutating func header() throws(CollectiveError) -> Plan {
        let word = try name("a collective")
        guard let collective = Collective(name: word) else {
            throw failure("\"\(word)\" is not a collective")
        }
        try expect("by")
        let algorithm = try name("an algorithm")
        try expect(",")
        try expect("rank")
        let rank = try number("the rank")
        try expect("of")
        let worldSize = try number("the world size")
        try expect(",")
        var root: Rank?
        if take("root") {
            root = try number("the root")
            try expect(",")
        }
        let elementCount = try number("the number of elements")
        try expect("elements")
        try expect("in")
        let chunks = try chunks(of: elementCount)
        try expect(",")
        let counts = try counts()
        let isInPlace = take("in")
        if !isInPlace {
            try expect("out")
            try expect("of")
        }
        try expect("place")
        try expect(",")
        try expect("scratch")
        let scratchCount = try number("the number of scratch elements")
        guard isAtEnd else { throw failure("expected the end of the line") }
        return Plan(
            collective: collective, algorithm: algorithm, worldSize: worldSize, rank: rank, root: root,
            isInPlace: isInPlace, elementCount: elementCount, counts: counts, chunks: chunks,
            scratchCount: scratchCount)
    }

    private mutating func chunks(of elementCount: Int) throws(CollectiveError) -> Chunks {
        if take("chunks") {
            try expect("[")
            var chunks: [Range<Int>] = []
            while !take("]") { chunks.append(try range()) }
            return Chunks(chunks)
        }
        let parts = try number("the number of chunks")
        guard parts >= 1, parts <= Self.mostChunks, elementCount <= Plan.largestCount else {
            throw failure("\(elementCount) elements do not go into \(parts) chunks")
        }
        try expect("even")
        try expect("chunks")
        return Chunks(Partition(count: elementCount, parts: parts))
    }

    private mutating func counts() throws(CollectiveError) -> [Int]? {
        guard take("counts") else { return nil }
        try expect("[")
        var counts: [Int] = []
        while !take("]") { counts.append(try number("a count")) }
        try expect(",")
        return counts
    }

    fileprivate mutating func step(_ index: Int) throws(CollectiveError) -> Step {
        let found = try number("a step's index")
        guard found == index else { throw failure("expected step \(index), found step \(found)") }
        try expect(":")
        var step = Step()
        if take("copy") {
            step = Step(copy: try copy())
        } else if !take("nothing") {
            if take("send") { step.send = try send() }
            if step.send == nil || take("|") {
                guard take("receive") else {
                    throw failure(
                        step.send == nil ? "expected send, receive, copy or nothing" : "expected receive")
                }
                step.receive = try receive()
            }
        }
        guard isAtEnd else { throw failure("expected the end of the line") }
        return step
    }

    private mutating func send() throws(CollectiveError) -> Send {
        let source = try slice()
        try expect("to")
        return Send(peer: try number("a peer's rank"), source: source, after: try dependencies())
    }

    private mutating func receive() throws(CollectiveError) -> Receive {
        let destination = try slice()
        try expect("from")
        let peer = try number("a peer's rank")
        var action = Receive.Action.copy
        if take(",") {
            let isFinal = take("final")
            try expect("reduce")
            try expect("with")
            action = .reduce(own: try slice(of: destination.chunks), isFinal: isFinal)
        }
        return Receive(peer: peer, destination: destination, action: action, after: try dependencies())
    }

    private mutating func copy() throws(CollectiveError) -> LocalCopy {
        let source = try slice()
        try expect("to")
        return LocalCopy(source: source, destination: try slice(of: source.chunks), after: try dependencies())
    }

    private mutating func slice(of chunks: Range<Int>? = nil) throws(CollectiveError) -> Slice {
        let word = try name("a buffer")
        guard let buffer = Buffer.allCases.first(where: { $0.name == word }) else {
            throw failure("\"\(word)\" is not a buffer (input, output, scratch)")
        }
        try expect("[")
        let range = try range()
        try expect("]")
        if take("(") {
            let found: Range<Int>
            if take("chunks") {
                found = try self.range()
            } else {
                try expect("chunk")
                let chunk = try number("a chunk")
                guard chunk < Int.max else { throw failure("a chunk is too large") }
                found = chunk..<(chunk + 1)
            }
            try expect(")")
            return Slice(buffer, chunks: found, range)
        }
        guard let chunks else { throw failure("expected \"(chunk N)\"") }
        return Slice(buffer, chunks: chunks, range)
    }

    private mutating func dependencies() throws(CollectiveError) -> [Dependency] {
        guard take("after") else { return [] }
        var dependencies: [Dependency] = []
        repeat {
            if take("received") {
                dependencies.append(.received(try number("a step")))
            } else {
                try expect("sent")
                dependencies.append(.sent(try number("a step")))
            }
        } while take("and")
        return dependencies
    }
}
