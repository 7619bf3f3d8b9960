import Testing

@testable import RingTrainCommand

@Suite struct SampleScheduleTests {
    @Test(arguments: 1...9)
    func everySampleIsVisitedOnceAnEpoch(worldSize: Int) {
        for sampleCount in [1, 2, 3, 5, 8, 13, 31, 64, 97] {
            for batchSize in [1, 2, 3, 4, 7, 16, 33, 97, 1_000_000_000_000] {
                let schedule = SampleSchedule(
                    sampleCount: sampleCount, batchSize: batchSize, worldSize: worldSize, seed: 5)
                var visited: [Int32] = []
                for epoch in 0..<2 {
                    let order = schedule.order(ofEpoch: epoch)
                    visited = []
                    for step in 0..<schedule.stepsPerEpoch {
                        var stepCount = 0
                        for rank in 0..<worldSize {
                            let share = schedule.share(ofRank: rank, step: step)
                            #expect(share.count <= schedule.largestShare)
                            stepCount += share.count
                            visited += order[share]
                        }
                        #expect(stepCount == schedule.batch(step).count)
                        #expect(stepCount > 0 && stepCount <= batchSize)
                    }
                    #expect(visited.sorted() == (0..<Int32(sampleCount)).map { $0 })
                }
            }
        }
    }

    @Test(arguments: 2...9)
    func sharesOfABatchDifferByAtMostOne(worldSize: Int) {
        let schedule = SampleSchedule(sampleCount: 101, batchSize: 13, worldSize: worldSize, seed: 0)
        for step in 0..<schedule.stepsPerEpoch {
            let sizes = (0..<worldSize).map { schedule.share(ofRank: $0, step: step).count }
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        }
    }

    @Test(arguments: 1...9)
    func batchesDoNotDependOnTheNumberOfRanks(worldSize: Int) {
        let alone = SampleSchedule(sampleCount: 50, batchSize: 7, worldSize: 1, seed: 3)
        let shared = SampleSchedule(sampleCount: 50, batchSize: 7, worldSize: worldSize, seed: 3)
        #expect(alone.stepsPerEpoch == shared.stepsPerEpoch)
        for epoch in 0..<3 { #expect(alone.order(ofEpoch: epoch) == shared.order(ofEpoch: epoch)) }
        for step in 0..<alone.stepsPerEpoch { #expect(alone.batch(step) == shared.batch(step)) }
    }

    @Test func ordersDifferByEpochAndSeed() {
        let orders = (UInt64(0)..<4).flatMap { seed in
            let schedule = SampleSchedule(sampleCount: 40, batchSize: 8, worldSize: 1, seed: seed)
            return (0..<4).map { schedule.order(ofEpoch: $0) }
        }
        #expect(Set(orders).count == 16)
    }
}
