namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>Servers take seeds of different widths; all take 31 bits.</summary>
internal static class ServerSeed
{
    public static int Of(ulong seed) => (int)(seed & int.MaxValue);
}
