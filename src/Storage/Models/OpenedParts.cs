using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>A GGUF in storage, whole or in parts, as one stream.</summary>
internal static class OpenedParts
{
    /// <param name="parts">All of them in their order; one is taken as it is.</param>
    /// <param name="open">Opens one, as a stream that can be sought in.</param>
    /// <exception cref="GgufFormatException">They are no GGUFs, or do not belong together.</exception>
    public static async Task<Stream> OpenAsync<T>(IReadOnlyList<T> parts, Func<T, Task<Stream>> open)
    {
        List<Stream> opened = [];
        try
        {
            foreach (T part in parts)
                opened.Add(await open(part));
            return opened.Count == 1 ? opened[0] : GgufMerge.Open(opened);
        }
        catch
        {
            foreach (Stream part in opened)
                await part.DisposeAsync();
            throw;
        }
    }
}
