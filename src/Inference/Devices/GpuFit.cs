using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Devices;

/// <summary>How many of a model's layers go to the GPUs.</summary>
internal static class GpuFit
{
    private const int All = -1;

    // What computing takes beside weights and context, measured loosely: the logits of a batch above all.
    private const long Reserve = 512L << 20;

    /// <param name="shape">The model.</param>
    /// <param name="contextBytes">Keys and values of the whole context; a layer's go where the layer goes.</param>
    /// <param name="devices">What there is to compute on.</param>
    /// <returns>Layers; -1: all, also where no GPU is or none tells its memory.</returns>
    public static int Layers(ModelShape shape, long contextBytes, IEnumerable<InferenceDevice> devices)
    {
        InferenceDevice[] gpus = [.. devices.Where(static device => device.Kind == DeviceKind.Gpu && device.TotalBytes > 0)];
        if (gpus.Length == 0 || shape.Layers == 0)
            return All;
        // The output counts as a layer: it is about as large as one or larger.
        int layers = shape.Layers + 1;
        double perLayer = (double)(shape.FileBytes + contextBytes) / layers;
        double room = gpus.Sum(static gpu => Math.Max(0, gpu.FreeBytes - Reserve));
        int fit = (int)Math.Min(layers, room / perLayer);
        return fit == layers ? All : fit;
    }
}
