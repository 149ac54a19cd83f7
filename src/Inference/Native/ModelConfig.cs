namespace OllamaMax.Inference.Native;

/// <param name="GpuLayers">Layers to keep in GPU memory; -1: all.</param>
/// <param name="Progress">Told how much is read, from 0 to 1, on the loading thread; must not throw.</param>
internal sealed record ModelConfig(int GpuLayers, IProgress<float>? Progress = null);
