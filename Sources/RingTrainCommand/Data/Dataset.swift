import Crypto

/// Images to learn from and images to test with.
struct Dataset: Sendable {
    /// The data set's name as the command line takes it.
    let name: String
    let training: LabelledImages
    let test: LabelledImages
    /// How many classes there are; every label is below it.
    let classCount: Int
    /// How pixels become inputs, measured over the training images.
    let normalization: PixelNormalization

    /// Creates a data set whose two parts have images of one size.
    init(name: String, training: LabelledImages, test: LabelledImages, classCount: Int) {
        precondition(training.pixelCount == test.pixelCount, "training and test images differ in size")
        self.name = name
        self.training = training
        self.test = test
        self.classCount = classCount
        self.normalization = PixelNormalization(measuring: training)
    }
}

extension Dataset {
    /// A digest of every image and label, by which ranks make sure that they read the same data.
    var digest: [UInt8] {
        var hash = SHA256()
        for part in [training, test] {
            part.pixels.withUnsafeBytes { hash.update(bufferPointer: $0) }
            part.labels.withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return Array(hash.finalize())
    }
}

/// A data set that the trainer knows.
enum DatasetName: String, Sendable, CaseIterable {
    /// 1,797 handwritten digits of 8 x 8 pixels, built in.
    case digits
    /// 70,000 articles of clothing of 28 x 28 pixels, in Zalando's four IDX files.
    case fashionMNIST = "fashion-mnist"

    /// Reads the data set, from `directory` if it is one that comes in files.
    func load(directory: String?) throws -> Dataset {
        switch self {
        case .digits: try DigitsDataset.load()
        case .fashionMNIST: try FashionMNISTDataset.load(directory: directory)
        }
    }
}
