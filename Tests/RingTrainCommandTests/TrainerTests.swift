import Testing

@testable import RingTrainCommand

@Suite struct TrainerTests {
    /// The sum over the ranks of their shares' gradients is the gradient of the whole batch, however it is split.
    @Test(arguments: 1...9)
    func gradientsDoNotDependOnTheSplit(ranks: Int) throws {
        for batchSize in [1, 2, 5, 8, 37] {
            let settings = TrainingSettings.small(batchSize: batchSize)
            let schedule = SampleSchedule(sampleCount: 37, batchSize: batchSize, worldSize: ranks, seed: 3)
            let order = schedule.order(ofEpoch: 0)
            // A whole batch and the last one, which is smaller.
            for step in Set([0, schedule.stepsPerEpoch - 1]) {
                let alone = try Self.gradient(
                    settings, exchange: SoloExchange(), samples: order[schedule.batch(step)])
                let shared = try ThreadGroup.values(ranks: ranks) { exchange in
                    let share = schedule.share(ofRank: exchange.rank, step: step)
                    return try Self.gradient(settings, exchange: exchange, samples: order[share])
                }
                for gradient in shared {
                    #expect(gradient == shared[0])
                    for (left, right) in zip(gradient, alone) { #expect(abs(left - right) < 1e-4) }
                }
            }
        }
    }

    static func gradient(
        _ settings: TrainingSettings, exchange: any GradientExchange, samples: ArraySlice<Int32>
    ) throws -> [Float] {
        let trainer = Trainer(settings: settings, dataset: RandomData.dataset(), exchange: exchange)
        trainer.shape.initialize(trainer.parameters, seed: 1)
        _ = try trainer.computeGradient(samples: samples)
        return trainer.gradient.values
    }

    /// Whole runs with few samples: uneven shares, ranks without samples, a last batch of another size.
    @Test(arguments: 2...9)
    func runsDoNotDependOnTheNumberOfRanks(ranks: Int) throws {
        let dataset = RandomData.dataset()
        for batchSize in [1, 4, 10, 100] {
            let settings = TrainingSettings.small(batchSize: batchSize, epochs: 3)
            let alone = try Trainer(settings: settings, dataset: dataset, exchange: SoloExchange()).run()
            let results = try ThreadGroup.values(ranks: ranks) { exchange in
                try Trainer(settings: settings, dataset: dataset, exchange: exchange).run()
            }
            for result in results {
                #expect(abs(result.trainLoss - alone.trainLoss) < 1e-4 * alone.trainLoss)
                #expect(result.trainLoss == results[0].trainLoss)
                #expect(result.testAccuracy == results[0].testAccuracy)
                #expect(result.parametersSHA256 == results[0].parametersSHA256)
            }
        }
    }

    @Test(arguments: [1, 3])
    func sameSeedSameParameters(ranks: Int) throws {
        let dataset = RandomData.dataset()
        func digest(seed: UInt64) throws -> String {
            var settings = TrainingSettings.small()
            settings.seed = seed
            let fixed = settings
            return try ThreadGroup.values(ranks: ranks) { exchange in
                try Trainer(settings: fixed, dataset: dataset, exchange: exchange).run().parametersSHA256
            }[0]
        }
        let first = try digest(seed: 1)
        #expect(try digest(seed: 1) == first)
        #expect(try digest(seed: 2) != first)
        #expect(first.count == 64 && first.allSatisfy { $0.isHexDigit })
    }

    @Test func learnsDigitsAlikeOnAnyNumberOfRanks() throws {
        let dataset = try DigitsDataset.load()
        var settings = TrainingSettings.recommended(for: .digits, .mlp)
        settings.epochs = 4
        settings.bucketBytes = 8_192
        let fixed = settings
        let alone = try Trainer(settings: settings, dataset: dataset, exchange: SoloExchange()).run()
        #expect(alone.testAccuracy > 0.95)
        for ranks in [2, 3, 4, 8] {
            let result = try ThreadGroup.values(ranks: ranks) { exchange in
                try Trainer(settings: fixed, dataset: dataset, exchange: exchange).run()
            }[0]
            #expect(abs(result.trainLoss - alone.trainLoss) < 1e-3 * alone.trainLoss)
        }
    }

    @Test func linearModelsLearn() throws {
        let settings = TrainingSettings.recommended(for: .digits, .linear)
        let result = try Trainer(
            settings: settings, dataset: try DigitsDataset.load(), exchange: SoloExchange()
        ).run()
        #expect(result.testAccuracy > 0.93)
    }

    @Test func noEpochsLeaveTheFirstParameters() throws {
        let settings = TrainingSettings.small(epochs: 0)
        let trainer = Trainer(settings: settings, dataset: RandomData.dataset(), exchange: SoloExchange())
        let result = try trainer.run()
        let first = FloatBuffer(count: trainer.shape.parameterCount)
        trainer.shape.initialize(first, seed: settings.seed)
        #expect(trainer.parameters.values == first.values)
        #expect(result.samplesPerSecond == 0 && result.trainLoss > 0)
    }

    @Test func observersHearOfEveryStepAndEpoch() throws {
        final class Listener: TrainingObserver {
            var steps: [Int] = []
            var epochs: [EpochResult] = []
            func didStep(epoch: Int, sampleCount: Int) { steps.append(epoch * 1_000 + sampleCount) }
            func didFinish(_ epoch: EpochResult) { epochs.append(epoch) }
        }
        let listener = Listener()
        let settings = TrainingSettings.small(batchSize: 15, epochs: 2)
        let result = try Trainer(
            settings: settings, dataset: RandomData.dataset(), exchange: SoloExchange(), observer: listener
        ).run()
        #expect(listener.steps == [1_015, 1_030, 1_037, 2_015, 2_030, 2_037])
        #expect(listener.epochs.map(\.epoch) == [1, 2])
        #expect(listener.epochs.last?.testAccuracy == result.testAccuracy)
        #expect(listener.epochs.allSatisfy { $0.loss > 0 && $0.samplesPerSecond > 0 })
    }

    @Test func timesAndTrafficAddUp() throws {
        let settings = TrainingSettings.small(batchSize: 15, epochs: 2)
        let results = try ThreadGroup.values(ranks: 2) { exchange in
            try Trainer(settings: settings, dataset: RandomData.dataset(), exchange: exchange).run()
        }
        let parameterCount = ModelShape(inputs: 5, hidden: [7], classes: 3).parameterCount
        for result in results {
            #expect(result.computeSeconds > 0 && result.communicationSeconds > 0)
            #expect(abs(result.computeSeconds + result.communicationSeconds - result.seconds) < 1e-9)
            #expect(result.traffic.sentBytes == 6 * 4 * parameterCount)
            #expect(result.traffic.algorithms == ["threads"])
        }
    }
}
