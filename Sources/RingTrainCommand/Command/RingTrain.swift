public import ArgumentParser
import RingCommandLine
import RingCore

/// The command `ringtrain`: trains a small model on real images, data-parallel over this library's collectives.
public struct RingTrain: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "ringtrain",
        abstract: "Train a small model on real images, data-parallel over ring-collectives.",
        discussion: """
            Each rank computes the gradient of its share of every batch; an all-reduce sums the shares. The \
            result, printed by rank 0 on standard output, does not depend on the number of ranks but for \
            rounding. Without --ranks this is one rank of the job that the launcher's environment describes \
            (ringrun, torchrun, mpirun, srun, ...), or a single rank if there is none.
            """)

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Start this many ranks on this machine.")
    var ranks: Int?

    @Option(help: ArgumentHelp("The data set: digits (built in) or fashion-mnist.", valueName: "name"))
    var dataset: DatasetName = .digits

    @Option(
        help: ArgumentHelp(
            "The folder with the data set's files (default: \(FashionMNISTDataset.defaultDirectory)).",
            valueName: "dir"))
    var dataDir: String?

    @Option(help: ArgumentHelp("The model: linear or mlp.", valueName: "name"))
    var model: ModelName = .mlp

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The mlp's hidden layers, one or two (default: 128 for digits, 256 for fashion-mnist).",
            valueName: "units[,units]"))
    var hiddenUnits: String?

    @Option(
        parsing: .unconditional,
        help: "How often to visit every training image (default: 30 for digits, 10 for fashion-mnist).")
    var epochs: Int?

    @Option(
        parsing: .unconditional,
        help: "Images a step, over all ranks (default: 64 for digits, 128 for fashion-mnist).")
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: "The highest learning rate (default: chosen for the data set and the model).")
    var learningRate: Float?

    @Option(
        help: ArgumentHelp(
            "How the learning rate changes: cosine (with warm-up) or constant.", valueName: "name"))
    var schedule: LearningRateSchedule.Kind = .cosine

    @Option(parsing: .unconditional, help: "The optimizer's momentum, from 0 to below 1.")
    var momentum: Float = 0.9

    @Flag(inversion: .prefixedNo, help: "Use Nesterov's momentum.")
    var nesterov = true

    @Option(
        parsing: .unconditional,
        help: "The weight decay (default: 0.001 for digits, 0.0001 for fashion-mnist).")
    var weightDecay: Float?

    @Option(parsing: .unconditional, help: "The seed of the first parameters and of the order of samples.")
    var seed: UInt64 = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The size of a gradient bucket; with K, M or G.", valueName: "bytes"))
    var bucketBytes = ByteSize(bytes: 256 << 10)

    @Option(parsing: .unconditional, help: "Threads a rank for matrix products.")
    var blasThreads = 1

    @Option(
        name: [.customShort("t"), .long],
        help: ArgumentHelp("The transport: auto, tcp or rdma.", valueName: "name"))
    var transport = "auto"

    @Option(
        name: [.customShort("a"), .long],
        help: ArgumentHelp("The all-reduce algorithm, such as ring, or auto.", valueName: "name"))
    var algorithm = "auto"

    @Option(
        name: [.customShort("z"), .long],
        help: ArgumentHelp(
            "The compression of gradients: none, float16, bfloat16, int8, int4 or lz4; int8+lz4 for both.",
            valueName: "name"))
    var compression = "none"

    @Flag(
        inversion: .prefixedNo,
        help: "Add what lossy compression takes from a gradient to the next one.")
    var errorFeedback = true

    @Option(
        help: ArgumentHelp(
            "Write the run's state to this file after each epoch; rank 0 does.", valueName: "file"))
    var checkpoint: String?

    @Option(
        help: ArgumentHelp(
            "Go on, up to --epochs, from the state in this file, which rank 0 reads.", valueName: "file"))
    var resume: String?

    @Option(help: ArgumentHelp("The form of the result: text or json.", valueName: "form"))
    var format: Report.Format = .text

    public init() {}
}

extension DatasetName: ExpressibleByArgument {}
extension ModelName: ExpressibleByArgument {}
extension LearningRateSchedule.Kind: ExpressibleByArgument {}
extension Report.Format: ExpressibleByArgument {}
