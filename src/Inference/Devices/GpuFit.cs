using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Devices;

/// <summary>How many of a model's layers go to the GPUs, and what they take there.</summary>
internal static class GpuFit
{
    private const int All = -1;

    // What a driver keeps for a process, and what is lost between buffers.
    private const long Reserve = 256L << 20;

    /// <param name="shape">The model.</param>
    /// <param name="contextBytes">Keys and values of the whole context; a layer's go where the layer goes.</param>
    /// <param name="computeBytes">Buffers for computing, which every device has.</param>
    /// <param name="devices">What there is to compute on.</param>
    /// <returns>Layers; -1: all, also where no GPU is or none tells its memory.</returns>
    public static int Layers(ModelShape shape, long contextBytes, long computeBytes, IEnumerable<InferenceDevice> devices)
    {
        InferenceDevice[] gpus = WithMemory(devices);
        if (gpus.Length == 0 || shape.Layers == 0)
            return All;
        double room = gpus.Sum(gpu => Math.Max(0, gpu.FreeBytes - computeBytes - Reserve));
        int fit = (int)Math.Min(Count(shape), room / PerLayer(shape, contextBytes));
        return fit == Count(shape) ? All : fit;
    }

    /// <summary>Of the GPUs' memory, what so many layers take of it.</summary>
    public static long Bytes(ModelShape shape, long contextBytes, long computeBytes, int layers, IEnumerable<InferenceDevice> devices)
    {
        int gpus = WithMemory(devices).Length;
        if (gpus == 0 || layers == 0)
            return 0;
        int there = layers < 0 ? Count(shape) : Math.Min(layers, Count(shape));
        return (long)(there * PerLayer(shape, contextBytes)) + (gpus * computeBytes);
    }

    private static InferenceDevice[] WithMemory(IEnumerable<InferenceDevice> devices) => [.. InferenceDevices.ForLayers(devices)];

    private static double PerLayer(ModelShape shape, long contextBytes) => (double)(shape.FileBytes + contextBytes) / Count(shape);

    // The output counts as a layer: it is about as large as one or larger.
    private static int Count(ModelShape shape) => shape.Layers + 1;
}
