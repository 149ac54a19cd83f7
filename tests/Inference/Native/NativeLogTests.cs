using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Native;

[Collection(nameof(RoutesTheNativeLog))]
public sealed class NativeLogTests
{
    [Fact]
    public void Append_Fragments_BecomeOneLineOfTheFirstOnesLevel()
    {
        List<string> errors = [];

        NativeLog.Capture(errors, () =>
        {
            NativeLog.Append(4, "cannot "u8);
            NativeLog.Append(5, "open it\nand "u8);
            NativeLog.Append(5, Encoding.UTF8.GetBytes("more ü\n"));
            NativeLog.Append(2, "all is well\n"u8);
            return 0;
        });

        errors.ShouldBe(["cannot open it", "and more ü"]);
    }

    [Fact]
    public void Load_LoggerThatThrows_DoesNotEndTheProcess()
    {
        ThrowingLoggers loggers = new();
        try
        {
            NativeModels.Load(NativeKind.Default, TestModels.File(TestModels.Tiny), new ModelConfig(0), loggers, CancellationToken.None).Dispose();
        }
        finally
        {
            NativeLog.RouteTo(NullLogger.Instance);
        }

        loggers.Asked.ShouldBePositive();
    }

    private sealed class ThrowingLoggers : ILoggerFactory, ILogger
    {
        public int Asked { get; private set; }

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

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Asked++;
            throw new InvalidOperationException("the logger is broken");
        }
    }
}
