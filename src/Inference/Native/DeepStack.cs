using System.Runtime.ExceptionServices;

namespace OllamaMax.Inference.Native;

/// <summary>
/// Runs something on a thread with a large stack. Many vocabularies are split by std::regex, which recurses with each
/// character that it matches: 28,000 letters without a space overflow the usual 8 MB, and that ends the process.
/// </summary>
internal static class DeepStack
{
    /// <summary>Bytes that are safe without a break on any thread.</summary>
    public const int SafeBytes = 1024;

    /// <summary>Bytes that are safe without a break in here, the deepest expressions of llama.cpp included.</summary>
    public const int LongestRun = 64 * 1024;

    // Only what is touched takes memory.
    private const int StackBytes = 256 * 1024 * 1024;

    public static T Run<T>(Func<T> action)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(
            () =>
            {
                try
                {
                    result = action();
                }
#pragma warning disable CA1031 // Thrown again on the caller's thread.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    failure = ExceptionDispatchInfo.Capture(exception);
                }
            },
            StackBytes)
        { IsBackground = true, Name = "tokenize" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    /// <summary>Where a text has to be cut so that no part has a run longer than <see cref="LongestRun"/>; its end at last.</summary>
    public static List<int> Cuts(ReadOnlySpan<byte> utf8)
    {
        List<int> cuts = [];
        int start = 0;
        for (int i = 1; i < utf8.Length; i++)
        {
            if (utf8[i] <= ' ' != utf8[i - 1] <= ' ')
                start = i;
            bool isCharacterStart = (utf8[i] & 0xC0) != 0x80;
            if (i - start >= LongestRun && isCharacterStart)
            {
                cuts.Add(i);
                start = i;
            }
        }
        cuts.Add(utf8.Length);
        return cuts;
    }
}
