using System.Collections.Concurrent;
using System.Reflection;
using Xunit.v3;

[assembly: OllamaMax.TimeLimit(5)]

namespace OllamaMax;

/// <summary>
/// Every test that is not explicit is cancelled after this long, so that one that waits for what never comes fails with the line where it waits, and the run goes on.
/// One that does not heed its token is ended with its process by tests/tests.runsettings.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class TimeLimitAttribute(int minutes) : Attribute, IBeforeAfterTestAttribute
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new();

    public void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (test.Explicit)
        {
            return;
        }

        ITestContext context = TestContext.Current;
        CancellationTokenSource limit = new(TimeSpan.FromMinutes(minutes));
        limit.Token.Register(context.CancelCurrentTest);
        _running[test.UniqueID] = limit;
    }

    public void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (_running.TryRemove(test.UniqueID, out CancellationTokenSource? limit))
        {
            using (limit)
            {
                if (limit.IsCancellationRequested)
                {
                    throw new TimeoutException($"The test was cancelled: it ran longer than {minutes} minutes.");
                }
            }
        }
    }
}
