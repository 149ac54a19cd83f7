namespace OllamaMax.Inference.Native;

/// <param name="GpuLayers">Layers to keep in GPU memory; -1: all.</param>
internal sealed record ModelConfig(int GpuLayers);
