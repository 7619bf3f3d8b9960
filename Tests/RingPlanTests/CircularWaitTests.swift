import RingCore
import RingPlan
import Testing

/// Transfers that wait for one another.
@Suite struct CircularWaitTests {
    private func plan(_ rank: Rank, chunks: Chunks, steps: [Step]) -> Plan {
        Plan(
            collective: .allGather, algorithm: "test", worldSize: 2, rank: rank, isInPlace: true,
            elementCount: chunks.last?.upperBound ?? 0, chunks: chunks, steps: steps)
    }

    private func slice(_ chunk: Int, _ range: Range<Int>) -> Slice { Slice(.output, chunk: chunk, range) }

    @Test func eachReceivesFirst() throws {
        let chunks: Chunks = [0..<1, 1..<2]
        let plans = (0..<2).map { rank in
            plan(
                rank, chunks: chunks,
                steps: [
                    Step(receive: Receive(peer: 1 - rank, destination: slice(1 - rank, chunks[1 - rank]))),
                    Step(
                        send: Send(peer: 1 - rank, source: slice(rank, chunks[rank]), after: [.received(0)])),
                ])
        }
        let found = try PlanRefutationTests.refutation(plans)
        #expect(found.kind == .deadlock)
        #expect(
            found.reason
                == "circular wait: the transfer from rank 1's step 1 to rank 0's step 0, which waits for "
                + "the transfer from rank 0's step 1 to rank 1's step 0, which waits for the first")
    }

    @Test func throughTheOrderOfALink() throws {
        let chunks: Chunks = [0..<1, 1..<2, 2..<4]
        // Rank 1 answers the second message, which is behind the first, which waits for the answer.
        let plans = [
            plan(
                0, chunks: chunks,
                steps: [
                    Step(receive: Receive(peer: 1, destination: slice(2, 2..<4))),
                    Step(send: Send(peer: 1, source: slice(0, 0..<1), after: [.received(0)])),
                    Step(send: Send(peer: 1, source: slice(1, 1..<2))),
                ]),
            plan(
                1, chunks: chunks,
                steps: [
                    Step(receive: Receive(peer: 0, destination: slice(0, 0..<1))),
                    Step(receive: Receive(peer: 0, destination: slice(1, 1..<2))),
                    Step(send: Send(peer: 0, source: slice(2, 2..<4), after: [.received(1)])),
                ]),
        ]
        let found = try PlanRefutationTests.refutation(plans)
        #expect(found.kind == .deadlock)
        // With the first message free to go, there is no circle.
        try Simulator.prove(plans.changing(0) { $0.steps[1].send?.after = [] })
    }

    @Test func sendsThatNeedTheOtherToReceive() throws {
        let chunks: Chunks = [0..<1, 1..<2]
        // Would work over links with memory; is refused, for a link need not have any.
        let plans = (0..<2).map { rank in
            plan(
                rank, chunks: chunks,
                steps: [
                    Step(send: Send(peer: 1 - rank, source: slice(rank, chunks[rank]))),
                    Step(
                        receive: Receive(
                            peer: 1 - rank, destination: slice(1 - rank, chunks[1 - rank]), after: [.sent(0)])
                    ),
                ])
        }
        #expect(try PlanRefutationTests.refutation(plans).kind == .deadlock)
    }

    @Test func aLongCircleIsCutShort() throws {
        let plans = try plans(.allGather, by: "ring", worldSize: 12, elementCount: 12, isInPlace: true)
        // Everyone passes on its own chunk only after the neighbour's has come in.
        let waiting = plans.map { plan in
            var plan = plan
            let first = plan.steps[0]
            plan.steps = [Step(receive: first.receive), Step(send: first.send)]
            plan.steps[1].send?.after = [.received(0)]
            return plan
        }
        let found = try PlanRefutationTests.refutation(waiting)
        #expect(found.kind == .deadlock)
        #expect(found.reason.hasSuffix("and so on through 6 more, which waits for the first"))
    }
}
