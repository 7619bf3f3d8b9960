import RingCore
import RingPlan
import Testing

/// Plans of all ranks from one text: read, held to be complete, and proved.
@Suite struct PlanFileTests {
    private static func text(_ change: (inout [Plan]) -> Void = { _ in }) throws -> String {
        var plans = try PlanRefutationTests.ring()
        change(&plans)
        return PlanFile.text(of: plans)
    }

    @Test(arguments: Planners.all.map { PlannerName($0) }) func thereAndBack(planner: PlannerName) throws {
        let plans = try plans(
            planner.collective, by: planner.name, worldSize: 5,
            elementCount: telling(planner.collective, 5).last ?? 0, root: 3, isInPlace: false)
        let file = try PlanFile(parsing: PlanFile.text(of: plans))
        #expect(file.plans == plans)
        #expect(file.plan(for: 4) == plans[4])
        #expect(try file.traffic == Simulator.prove(plans))
        // The order of the ranks is free.
        let reversed = try PlanFile(parsing: PlanFile.text(of: plans.reversed()))
        #expect(reversed.plans == plans)
        #expect(reversed.digest != file.digest)
    }

    /// The hash of FNV-1a's own test suite for "foobar" is 0xbf9cf968; of a plan's text, as computed by hand.
    @Test func digest() throws {
        let text = "plan barrier by none, rank 0 of 1, 0 elements in 1 even chunks, in place, scratch 0\n"
        let file = try PlanFile(parsing: text)
        var expected: UInt32 = 2_166_136_261
        for byte in text.utf8 {
            expected ^= UInt32(byte)
            expected &*= 16_777_619
        }
        #expect(file.digest == expected)
        #expect(try PlanFile(parsing: text + "# more\n").digest != expected)
    }

    private func refusal(_ text: String) throws -> String {
        let error = try #require(throws: CollectiveError.self) { try PlanFile(parsing: text) }
        #expect(error.code == .invalidArgument)
        #expect(!error.message.contains("\n"))
        return error.message
    }

    @Test func malformed() throws {
        #expect(try refusal("") == "plan: the text holds no plan")
        #expect(try refusal("# nothing\n\n") == "plan: the text holds no plan")
        #expect(try refusal("hello").hasPrefix("plan, line 1: expected a header"))
        let text = try Self.text().replacing("receive", with: "accept", maxReplacements: 1)
        #expect(try refusal(text).hasPrefix("plan, line 2: expected receive, at \"accept"))
        let none = "plan barrier by none, rank 0 of 0, 0 elements in 1 even chunks, in place, scratch 0"
        #expect(try refusal(none) == "plan, line 1: a world size of 0; it must be 1 to 1048576")
    }

    @Test func incomplete() throws {
        #expect(
            try refusal(Self.text { $0.removeSubrange(1...2) })
                == "plan: of 4 ranks, the plans of 1, 2 are missing")
        #expect(
            try refusal(Self.text { $0[2] = $0[1] })
                == "plan, line 17: a second plan of rank 1, which has one on line 9")
        #expect(
            try refusal(Self.text { $0[3].rank = 4 }) == "plan, line 25: the plan of rank 4, among 4 ranks")
        #expect(
            try refusal(Self.text { $0[3].worldSize = 5 })
                == "plan, line 25: a plan for 5 ranks, among those for 4")
        let lonely = "plan barrier by none, rank 9 of 12, 0 elements in 1 even chunks, in place, scratch 0"
        #expect(
            try refusal(lonely)
                == "plan: of 12 ranks, the plans of 0, 1, 2, 3, 4, 5, 6, 7 and 3 more are missing")
    }

    @Test func refuted() throws {
        #expect(
            try refusal(Self.text { $0[1].steps.removeLast() })
                == "plan: refuted: rank 0, step 5: sends to 1, which has no receive for it "
                + "(the plan that starts on line 1)")
        let wrongChunk = try refusal(Self.text { $0[3].steps[0].send?.source.chunks = 1..<2 })
        #expect(wrongChunk.hasPrefix("plan: refuted: rank 3, step 0: sends chunk 1 (2 elements) to rank 0"))
        #expect(wrongChunk.hasSuffix("(the plan that starts on line 25)"))
        let noDependency = try refusal(Self.text { $0[2].steps[1].send?.after = [] })
        #expect(noDependency.contains("rank 2, step 1: sends") && noDependency.contains("a race"))
        let otherCount = try refusal(Self.text { $0[1].elementCount = 12 })
        #expect(otherCount.contains("refuted: rank 1: its plan and rank 0's differ in the element count"))
    }

    @Test func deadlock() throws {
        let text = """
            plan all-gather by mine, rank 0 of 2, 2 elements in 2 even chunks, in place, scratch 0
            0: receive output[1..<2] (chunk 1) from 1
            1: send output[0..<1] (chunk 0) to 1 after received 0
            plan all-gather by mine, rank 1 of 2, 2 elements in 2 even chunks, in place, scratch 0
            0: receive output[0..<1] (chunk 0) from 0
            1: send output[1..<2] (chunk 1) to 0 after received 0
            """
        #expect(try refusal(text).contains("refuted: rank 0, step 0: circular wait"))
        let free = text.replacing(" to 0 after received 0", with: " to 0")
        #expect(try PlanFile(parsing: free).traffic.criticalPath == 2)
    }

    @Test func anotherCall() throws {
        let file = try PlanFile(parsing: Self.text())
        var request = PlanRequest(.allReduce, worldSize: 4, rank: 2, elementCount: 9, isInPlace: true)
        #expect(try file.plan(for: request) == file.plans[2])
        func refusal(_ change: (inout PlanRequest) -> Void) throws -> String {
            var changed = request
            change(&changed)
            return try #require(throws: CollectiveError.self) { try file.plan(for: changed) }.message
        }
        #expect(
            try refusal { $0.collective = .reduceScatter }
                == "rank 2: the plan file is for the collective all-reduce, the call is for reduce-scatter")
        #expect(
            try refusal { $0.worldSize = 8 }
                == "rank 2: the plan file is for a world size of 4, the call is for 8")
        #expect(
            try refusal { $0.elementCount = 10 }
                == "rank 2: the plan file is for an element count of 9, the call is for 10")
        #expect(
            try refusal { $0.isInPlace = false }
                == "rank 2: the plan file is for buffers in place, the call is for out of place")
        // The root is nobody's business in an all-reduce.
        request.root = 3
        #expect(try file.plan(for: request) == file.plans[2])
        let shares = try PlanFile(
            parsing: PlanFile.text(
                of: plans(
                    .gather, by: "direct", worldSize: 2, elementCount: 4, counts: [1, 3], root: 1,
                    isInPlace: true)))
        let gather = PlanRequest(
            .gather, worldSize: 2, rank: 0, elementCount: 4, root: 1, isInPlace: true)
        let error = try #require(throws: CollectiveError.self) { try shares.plan(for: gather) }
        #expect(
            error.message == "rank 0: the plan file is for counts of [1, 3], the call is for an even split")
    }
}
