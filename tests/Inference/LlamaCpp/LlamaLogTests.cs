using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Native.LlamaCpp;

namespace OllamaMax.Inference.Tests.LlamaCpp;

public sealed class LlamaLogTests
{
    [Fact]
    public void Append_Fragments_BecomeOneLineOfTheFirstOnesLevel()
    {
        LlamaLibrary.Load(NullLoggerFactory.Instance);
        List<string> errors = [];

        LlamaLog.Capture(errors, () =>
        {
            LlamaLog.Append(4, "cannot "u8);
            LlamaLog.Append(5, "open it\nand "u8);
            LlamaLog.Append(5, Encoding.UTF8.GetBytes("more ü\n"));
            LlamaLog.Append(2, "all is well\n"u8);
            return 0;
        });

        errors.ShouldBe(["cannot open it", "and more ü"]);
    }

    [Fact]
    public void Load_LoggerThatThrows_DoesNotEndTheProcess()
    {
        LlamaLibrary.Load(new ThrowingLoggers());
        try
        {
            TestModels.Load(TestModels.Tiny).Dispose();
        }
        finally
        {
            LlamaLibrary.Load(NullLoggerFactory.Instance);
        }
    }

    private sealed class ThrowingLoggers : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("the logger is broken");
    }
}
