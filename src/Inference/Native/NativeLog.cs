using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;

namespace OllamaMax.Inference.Native;

/// <summary>
/// Where llama.cpp logs to, whoever runs it: fragments from any thread, put together to lines. The library has one log for the
/// process, so this is static as well.
/// </summary>
internal static partial class NativeLog
{
    private const int Warning = 3;
    private const int Error = 4;
    private const int Continuation = 5;
    private const int LongestLine = 16 * 1024;

    private static volatile ILogger? s_logger;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_line;

    [ThreadStatic]
    private static int t_level;

    [ThreadStatic]
    private static List<string>? t_errors;

    [ThreadStatic]
    private static bool t_mayFail;

    public static void RouteTo(ILogger logger) => s_logger = logger;

    /// <summary>Runs a native call and adds the errors it logs on this thread to <paramref name="errors"/>: its own words on why it failed.</summary>
    public static T Capture<T>(List<string> errors, Func<T> call)
    {
        t_errors = errors;
        try
        {
            return call();
        }
        finally
        {
            t_errors = null;
        }
    }

    /// <summary>Runs a native call whose failure is nothing that anybody has to know: what it logs on this thread is no warning.</summary>
    public static T MayFail<T>(Func<T> call)
    {
        t_mayFail = true;
        try
        {
            return call();
        }
        finally
        {
            t_mayFail = false;
        }
    }

    /// <summary>Why a model could not be loaded. Several lines come, each layer with its own; the one that says why has these words before it.</summary>
    public static string Reason(List<string> errors)
    {
        const string marker = "error loading model: ";
        string? line = errors.Find(static error => error.Contains(marker, StringComparison.Ordinal));
        return line is null
            ? string.Join("; ", errors.DefaultIfEmpty("llama.cpp does not say why"))
            : line[(line.LastIndexOf(marker, StringComparison.Ordinal) + marker.Length)..];
    }

    /// <summary>Takes what the library logs.</summary>
    /// <param name="level">ggml's number.</param>
    /// <param name="fragment">Part of a line, or several lines.</param>
    public static void Append(int level, ReadOnlySpan<byte> fragment)
    {
        try
        {
            AppendLines(level, fragment);
        }
#pragma warning disable CA1031 // A logger's exception would have to cross native frames, and would end the process: nothing gets out.
        catch (Exception)
#pragma warning restore CA1031
        {
            t_line?.ResetWrittenCount();
        }
    }

    private static void AppendLines(int level, ReadOnlySpan<byte> fragment)
    {
        ArrayBufferWriter<byte> line = t_line ??= new ArrayBufferWriter<byte>();
        if (level != Continuation)
            t_level = level;
        while (!fragment.IsEmpty)
        {
            int end = fragment.IndexOf((byte)'\n');
            line.Write(end < 0 ? fragment : fragment[..end]);
            fragment = end < 0 ? [] : fragment[(end + 1)..];
            if (end >= 0 || line.WrittenCount > LongestLine)
                Flush(line);
        }
    }

    private static void Flush(ArrayBufferWriter<byte> line)
    {
        string text = Encoding.UTF8.GetString(line.WrittenSpan).TrimEnd();
        line.ResetWrittenCount();
        if (text.Length == 0)
            return;
        if (t_level == Error)
            t_errors?.Add(text);
        if (s_logger is not { } logger)
            return;
        if (t_level is Warning or Error && !t_mayFail)
            LogWarning(logger, text);
        else
            LogDebug(logger, text);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "llama.cpp: {Line}")]
    private static partial void LogWarning(ILogger logger, string line);

    [LoggerMessage(Level = LogLevel.Debug, Message = "llama.cpp: {Line}")]
    private static partial void LogDebug(ILogger logger, string line);
}
