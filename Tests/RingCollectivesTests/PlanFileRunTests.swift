import RingCollectives
import RingCore
import RingPlan
import RingTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Plans from files run like those of the library's own planners, once they have been proved.
@Suite struct PlanFileRunTests {
    /// Everybody sends to rank 1, which sends the sum back: no planner of the library's does that.
    private static func star(of worldSize: Int, elements count: Int) -> String {
        let all = "output[0..<\(count)] (chunk 0)"
        var texts: [String] = []
        for rank in 0..<worldSize {
            var lines = [
                "plan all-reduce by star, rank \(rank) of \(worldSize), \(count) elements in 1 even chunks, "
                    + "in place, scratch 0"
            ]
            let others = (0..<worldSize).filter { $0 != 1 }
            if rank == 1 {
                for (step, other) in others.enumerated() {
                    let verb = step == others.count - 1 ? "final reduce" : "reduce"
                    let after = step == 0 ? "" : " after received \(step - 1)"
                    lines.append("\(step): receive \(all) from \(other), \(verb) with \(all)\(after)")
                }
                for (step, other) in others.enumerated() {
                    lines.append(
                        "\(others.count + step): send \(all) to \(other) after received \(others.count - 1)")
                }
            } else {
                lines += ["0: send \(all) to 1", "1: receive \(all) from 1 after sent 0"]
            }
            texts.append(lines.joined(separator: "\n"))
        }
        return texts.joined(separator: "\n\n")
    }

    /// A file with this text, for as long as `body` runs.
    private static func withFile<Result>(
        _ text: String, _ body: (String) async throws -> Result
    ) async throws -> Result {
        var template = Array("/tmp/ring-plan-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        #expect(descriptor >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let written = text.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count - 1) }
        #expect(written == text.utf8.count)
        close(descriptor)
        return try await body(path)
    }

    @Test(arguments: [2, 3, 4]) func aPlanOfNobodysRuns(_ worldSize: Int) async throws {
        let count = 70_001
        try await Self.withFile(Self.star(of: worldSize, elements: count)) { path in
            let group = try await RankGroup.connect(worldSize)
            let outcomes = await group.run { communicator in
                var results: [[Int32]] = []
                for _ in 0..<2 {
                    var elements = (0..<count).map { Int32($0 &* (communicator.rank + 1)) }
                    let statistics = try elements.withUnsafeMutableBufferPointer {
                        try communicator.run(.allReduce($0, .sum).using(.plans(file: path)))
                    }
                    #expect(statistics.algorithm == "file:\(path)")
                    let messages = communicator.rank == 1 ? worldSize - 1 : 1
                    #expect(statistics.wireBytes == messages * count * 4)
                    results.append(elements)
                }
                return results
            }
            await group.close()
            let factor = worldSize * (worldSize + 1) / 2
            let expected = (0..<count).map { Int32(truncatingIfNeeded: $0 * factor) }
            for outcome in outcomes { #expect(try outcome.get() == [expected, expected]) }
        }
    }

    /// What every rank's call throws, with nothing sent: the same ranks can go on.
    @Test(arguments: [
        ("refuted", "plan file PATH: plan: refuted:", 100),
        ("malformed", "plan file PATH: plan, line 1: expected", 100),
        ("right", "the plan file is for an element count of 100, the call is for 99", 99),
        ("missing", "plan file PATH: it cannot be read: no such file or directory", 100),
    ])
    func whatCannotRunIsRefused(_ kind: String, _ reason: String, _ count: Int) async throws {
        let right = Self.star(of: 3, elements: 100)
        let text =
            switch kind {
            case "refuted": right.replacing("final reduce", with: "reduce", maxReplacements: 1)
            case "malformed": "not a plan"
            default: right
            }
        try await Self.withFile(text) { path in
            let asked = kind == "missing" ? path + ".no" : path
            let group = try await RankGroup.connect(3)
            let outcomes = await group.run { communicator -> (CollectiveError?, [Float]) in
                var elements = [Float](repeating: 1, count: count)
                var caught: CollectiveError?
                do {
                    try elements.withUnsafeMutableBufferPointer {
                        _ = try communicator.run(.allReduce($0, .sum).using(.plans(file: asked)))
                    }
                } catch let error as CollectiveError {
                    caught = error
                }
                #expect(elements.allSatisfy { $0 == 1 })
                try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .sum) }
                return (caught, elements)
            }
            await group.close()
            for (rank, outcome) in outcomes.enumerated() {
                let (caught, elements) = try outcome.get()
                let error = try #require(caught)
                #expect(error.code == .invalidArgument)
                #expect(error.message.hasPrefix("rank \(rank): "))
                #expect(error.message.contains(reason.replacing("PATH", with: asked)), "\(error.message)")
                #expect(elements.allSatisfy { $0 == 3 })
            }
        }
    }

    @Test func ranksWithOtherTextsFindOut() async throws {
        let text = Self.star(of: 2, elements: 100)
        try await Self.withFile(text) { path in
            try await Self.withFile("# another text\n" + text) { other in
                let group = try await RankGroup.connect(2)
                let outcomes = await group.run { communicator in
                    var elements = [Float](repeating: 1, count: 100)
                    try elements.withUnsafeMutableBufferPointer {
                        _ = try communicator.run(
                            .allReduce($0, .sum).using(.plans(file: communicator.rank == 0 ? path : other)))
                    }
                }
                await group.close()
                for outcome in outcomes {
                    let error = #expect(throws: CollectiveError.self) { try outcome.get() }
                    #expect(error?.code == .mismatch)
                    #expect(
                        error?.message.contains("rank 1 called all-reduce of 100 float32, sum (plans ")
                            == true)
                }
            }
        }
    }

    @Test func treeIsTheFastestTreeOfACollective() async throws {
        let group = try await RankGroup.connect(3)
        let outcomes = await group.run { communicator in
            var elements = [Float](repeating: 1, count: 10)
            return try elements.withUnsafeMutableBufferPointer {
                let algorithm = Algorithm(name: "tree")
                return [
                    try communicator.run(.allReduce($0, .sum).using(algorithm)).algorithm,
                    try communicator.run(.broadcast($0, root: 1).using(algorithm)).algorithm,
                ]
            }
        }
        await group.close()
        for outcome in outcomes { #expect(try outcome.get() == ["double-binary-tree", "binomial-tree"]) }
    }
}
