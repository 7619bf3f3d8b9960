import RingCore
import RingPlan
import RingTestSupport
import Testing

/// A plan as text, there and back.
@Suite struct PlanTextTests {
    @Test func textOfARing() throws {
        let plan = try PlanRefutationTests.ring(3, 300)[1]
        #expect(
            plan.description == """
                plan all-reduce by ring, rank 1 of 3, 300 elements in 3 even chunks, in place, scratch 0
                0: send output[0..<100] (chunk 0) to 2 | receive output[200..<300] (chunk 2) from 0, \
                reduce with output[200..<300]
                1: send output[200..<300] (chunk 2) to 2 after received 0 | receive output[100..<200] (chunk 1) from 0, \
                final reduce with output[100..<200]
                2: send output[100..<200] (chunk 1) to 2 after received 1 | receive output[0..<100] (chunk 0) from 0 \
                after sent 0
                3: send output[0..<100] (chunk 0) to 2 after received 2 | receive output[200..<300] (chunk 2) from 0 \
                after sent 1

                """)
    }

    @Test func everyPlannerThereAndBack() throws {
        for planner in Planners.all {
            for worldSize in 1...5 {
                for isInPlace in [true, false] {
                    try check(
                        plans(
                            planner.collective, by: planner.name, worldSize: worldSize,
                            elementCount: telling(planner.collective, worldSize).last ?? 0,
                            root: worldSize - 1, isInPlace: isInPlace, chunkCount: 3))
                }
            }
        }
    }

    @Test func countsThereAndBack() throws {
        for counts in [[1, 0, 3], [2, 2, 2], [0, 0, 0]] {
            for (collective, algorithm) in [(Collective.allGather, "ring"), (.gather, "direct")] {
                try check(
                    plans(
                        collective, by: algorithm, worldSize: 3, elementCount: counts.reduce(0, +),
                        counts: counts, root: 1, isInPlace: true))
            }
        }
        let plan = try plans(
            .allGather, by: "bruck", worldSize: 3, elementCount: 4, counts: [1, 0, 3], isInPlace: true)[2]
        #expect(
            plan.description == """
                plan all-gather by bruck, rank 2 of 3, 4 elements in chunks [0..<1 1..<1 1..<4], \
                counts [1 0 3], in place, scratch 0
                0: send output[1..<4] (chunk 2) to 1 | receive output[0..<1] (chunk 0) from 0
                1: send output[1..<4] (chunk 2) to 0

                """)
    }

    private func check(_ plans: [Plan]) throws {
        for plan in plans { #expect(try Plan(parsing: plan.description) == plan) }
        let all = plans.map(\.description).joined(separator: "\n# the next\n\n")
        #expect(try Plan.plans(parsing: all) == plans)
    }

    /// What no planner makes: uneven chunks, an operand of another chunk, empty steps, many dependencies.
    @Test func unusualPlanThereAndBack() throws {
        let plan = Plan(
            collective: .broadcast, algorithm: "a-2", worldSize: 9, rank: 3, root: 8, isInPlace: false,
            elementCount: 10, chunks: [0..<1, 1..<1, 1..<10], scratchCount: 77,
            steps: [
                Step(),
                Step(
                    send: Send(
                        peer: 1, source: Slice(.scratch, chunk: 2, 5..<14), after: [.sent(0), .received(0)])),
                Step(
                    receive: Receive(
                        peer: 2, destination: Slice(.output, chunk: 0, 0..<1),
                        action: .reduce(own: Slice(.input, chunk: 1, 3..<3), isFinal: true), after: [.sent(1)]
                    )),
                Step(
                    copy: LocalCopy(
                        source: Slice(.input, chunk: 1, 1..<1), destination: Slice(.output, chunk: 2, 1..<10),
                        after: [.received(2)])),
                Step(
                    receive: Receive(
                        peer: 2, destination: Slice(.output, chunks: 0..<3, 0..<10),
                        action: .reduce(own: Slice(.scratch, chunks: 0..<3, 8..<18), isFinal: false))),
                Step(send: Send(peer: 1, source: Slice(.output, chunks: 2..<2, 3..<3))),
            ])
        #expect(try Plan(parsing: plan.description) == plan)
        var none = plan
        none.chunks = []
        #expect(try Plan(parsing: none.description) == none)
    }

    @Test func windowsLineEndings() throws {
        let plan = try PlanRefutationTests.ring()[0]
        let text = plan.description.split(separator: "\n").joined(separator: "\r\n")
        #expect(try Plan(parsing: text) == plan)
    }

    static let header =
        "plan all-reduce by ring, rank 1 of 3, 300 elements in 3 even chunks, in place, scratch 0\n"

    @Test(
        arguments: [
            ("", "plan: expected one plan, found 0"),
            ("0: nothing", "line 1: expected a header"),
            ("# words\n\nplan all-redeuce by ring", "line 3: \"all-redeuce\" is not a collective"),
            ("plan all-reduce ring", "line 1: expected \"by\", at \"ring\""),
            ("plan all-reduce by ring, rank -1 of 3", "line 1: expected the rank"),
            ("plan all-reduce by ring, rank 1 of 3, 9999999999999999999999 elements", "is too large"),
            ("plan all-reduce by ring, rank 1 of 3, 30 elements in 0 even chunks", "do not go into 0 chunks"),
            (
                "plan all-reduce by ring, rank 1 of 3, 30 elements in 999999999999 even chunks",
                "do not go into"
            ),
            (
                "plan all-reduce by ring, rank 1 of 3, 3 elements in chunks [0..<2 2",
                "line 1: expected \"..<\""
            ),
            ("plan all-reduce by ring, rank 1 of 3, 3 elements in chunks [2..<1]", "ends before it starts"),
            (
                "plan all-reduce by ring, rank 1 of 3, 3 elements in 1 even chunks, in place, scratch 0 x",
                "the end of"
            ),
            (
                "plan all-gather by ring, rank 1 of 2, 3 elements in 1 even chunks, counts [1 x], in place",
                "expected a count, a number, at \"x]"
            ),
            (
                "plan all-gather by ring, rank 1 of 2, 3 elements in 1 even chunks, counts 1 2, in place",
                "expected \"[\""
            ),
            (header + "0: send output[0..<1] (chunks 0) to 2", "line 2: expected \"..<\""),
            (header + header, "expected one plan, found 2"),
            (header + "1: nothing", "line 2: expected step 0, found step 1"),
            (header + "0 nothing", "line 2: expected \":\""),
            (header + "0: jump", "line 2: expected send, receive, copy or nothing"),
            (
                header + "0: send output[0..<1] (chunk 0) to 2 |",
                "line 2: expected receive, at the end of the line"
            ),
            (header + "0: send output[0..<1] to 2", "line 2: expected \"(chunk N)\""),
            (header + "0: send outputs[0..<1] (chunk 0) to 2", "line 2: \"outputs\" is not a buffer"),
            (header + "0: send output[0..<1] (chunk 0) to 2 after", "line 2: expected \"sent\""),
            (
                header + "0: nothing\n\n1: receive output[0..<1] (chunk 0) from 2, add",
                "line 4: expected \"reduce\""
            ),
            (header + "0: copy input[0..<1] (chunk 0) into output[0..<1]", "line 2: expected \"to\""),
        ])
    func malformed(text: String, message: String) throws {
        let error = try #require(throws: CollectiveError.self) { try Plan(parsing: text) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains(message), "\(error.message)")
        #expect(!error.message.contains("\n"))
    }

    /// Damaged text is refused or read as something else; nothing traps, and what is read can be judged.
    @Test func damagedText() throws {
        var generator = SplitMix64(state: 11)
        let originals = try plans(.reduceScatter, by: "ring", worldSize: 3, elementCount: 7, isInPlace: false)
        let inputs = (0..<3).map { rank in (0..<7).map { (rank + 1) * 1_000 + $0 } }
        var original = PlanInterpreter(originals, contributions: inputs, seed: 0)
        let expected = original.run()
        let alphabet = Array(" 0123456789[](),.<|:ceno\n#".utf8)
        var refused = 0
        for _ in 0..<2_000 {
            var plans = originals
            var bytes = Array(plans[1].description.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                if Bool.random(using: &generator) {
                    bytes[place] = alphabet.randomElement(using: &generator) ?? 0
                } else {
                    bytes.remove(at: place)
                }
            }
            do {
                plans[1] = try Plan(parsing: String(decoding: bytes, as: UTF8.self))
                guard (try? Simulator.prove(plans)) != nil else { continue }
                // More scratch than needed, for example: no harm done.
                var interpreter = PlanInterpreter(plans, contributions: inputs, seed: 0)
                let outputs = interpreter.run()
                #expect(outputs == expected, "\(plans[1])")
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1_000)
    }
}
