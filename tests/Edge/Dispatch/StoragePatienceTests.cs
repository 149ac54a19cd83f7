using Azure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Edge.Dispatch;

namespace OllamaMax.Edge.Tests.Dispatch;

/// <summary>Storage that hangs, in virtual time.</summary>
public sealed class StoragePatienceTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly StoragePatience _storage;

    public StoragePatienceTests() => _storage = new StoragePatience(_time, NullLogger<StoragePatience>.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WaitAsync_NoAnswer_FailsWhenPatienceEnds()
    {
        Question first = Ask();

        _time.Advance(StoragePatience.Usual - Tick);
        first.IsOver.ShouldBeFalse();
        _time.Advance(Tick);

        first.IsOver.ShouldBeTrue();
        (await Should.ThrowAsync<RequestFailedException>(first.Answer)).Status.ShouldBe(0);
    }

    [Fact]
    public async Task WaitAsync_StorageIsKnownToBeSilent_TriesForAMomentOnly()
    {
        await FallSilentAsync();
        Question next = Ask();

        _time.Advance(StoragePatience.WhileSilent - Tick);
        next.IsOver.ShouldBeFalse();
        _time.Advance(Tick);

        next.IsOver.ShouldBeTrue();
        await Should.ThrowAsync<RequestFailedException>(next.Answer);
    }

    [Fact]
    public async Task WaitAsync_AnotherFindsStorageSilent_WaitsNoLongerThanAMomentMore()
    {
        Question first = Ask();
        _time.Advance(StoragePatience.Usual - StoragePatience.WhileSilent);
        Question second = Ask();
        _time.Advance(StoragePatience.WhileSilent);
        await Should.ThrowAsync<RequestFailedException>(first.Answer);
        _time.Advance(StoragePatience.WhileSilent / 2);
        Question third = Ask();
        second.IsOver.ShouldBeFalse();

        _time.Advance(StoragePatience.WhileSilent / 2);

        second.IsOver.ShouldBeTrue();
        await Should.ThrowAsync<RequestFailedException>(second.Answer);
        // Nor do those who give up put off the end of those that came later.
        _time.Advance(StoragePatience.WhileSilent / 2);
        third.IsOver.ShouldBeTrue();
        await Should.ThrowAsync<RequestFailedException>(third.Answer);
    }

    [Fact]
    public async Task WaitBesideAsync_StorageIsKnownToBeSilentButOnlySlow_FindsItThere()
    {
        await FallSilentAsync();
        TaskCompletionSource<int> answer = new();
        Task<int> beside = _storage.WaitBesideAsync(token => answer.Task.WaitAsync(token), Cancellation);
        await FallSilentAsync();

        answer.SetResult(7);

        (await beside).ShouldBe(7);
        (await IsKnownToBeSilentAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task WaitBesideAsync_NoAnswer_FindsStorageSilent()
    {
        Task<int> beside = _storage.WaitBesideAsync(token => new TaskCompletionSource<int>().Task.WaitAsync(token), Cancellation);

        _time.Advance(StoragePatience.Long);

        await Should.ThrowAsync<RequestFailedException>(beside);
        (await IsKnownToBeSilentAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task WaitAsync_ATrialIsAnswered_HasItsUsualPatienceAgain()
    {
        await FallSilentAsync();
        TaskCompletionSource<int> answer = new();
        Task<int> trial = _storage.WaitAsync(token => answer.Task.WaitAsync(token), Cancellation);

        answer.SetResult(7);

        (await trial).ShouldBe(7);
        (await IsKnownToBeSilentAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task WaitAsync_KnownWithoutAsking_ProvesNothing()
    {
        await FallSilentAsync();

        (await _storage.WaitAsync(_ => Task.FromResult(3), Cancellation)).ShouldBe(3);

        (await IsKnownToBeSilentAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task WaitAsync_ARefusal_IsAnAnswer()
    {
        await FallSilentAsync();

        RequestFailedException refusal = await Should.ThrowAsync<RequestFailedException>(_storage.WaitAsync(_ => FailAsync(new RequestFailedException(409, "no")), Cancellation));

        refusal.Status.ShouldBe(409);
        (await IsKnownToBeSilentAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task WaitAsync_NobodyListens_IsSilence()
    {
        await Should.ThrowAsync<AggregateException>(_storage.WaitAsync(_ => FailAsync(new AggregateException(new RequestFailedException("connection refused"))), Cancellation));

        (await IsKnownToBeSilentAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task WaitAsync_ClientLeaves_SaysNothingAboutStorage()
    {
        using CancellationTokenSource client = new();
        Question asked = Ask(client.Token);

        await client.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(asked.Answer);
        (await IsKnownToBeSilentAsync()).ShouldBeFalse();
    }

    private static async Task<int> FailAsync(Exception failure)
    {
        await Task.Yield();
        throw failure;
    }

    private Question Ask(CancellationToken? cancellationToken = null) => new(_storage, cancellationToken ?? Cancellation);

    /// <summary>Then one who asks waits for a moment only. What it finds is forgotten by nobody: the last thing that a test asks.</summary>
    private async Task<bool> IsKnownToBeSilentAsync()
    {
        Question trial = Ask();
        _time.Advance(StoragePatience.WhileSilent);
        bool isOver = trial.IsOver;
        await EndAsync(trial);
        return isOver;
    }

    private Task FallSilentAsync() => EndAsync(Ask());

    private async Task EndAsync(Question question)
    {
        _time.Advance(StoragePatience.Usual);
        await Should.ThrowAsync<RequestFailedException>(question.Answer);
    }

    /// <summary>Asks what is never answered, and knows at once when patience has ended.</summary>
    private sealed class Question
    {
        public Question(StoragePatience storage, CancellationToken cancellationToken) => Answer = storage.WaitAsync(HangAsync, cancellationToken);

        public Task<int> Answer { get; }

        public bool IsOver { get; private set; }

        private async Task<int> HangAsync(CancellationToken cancellationToken)
        {
            using CancellationTokenRegistration over = cancellationToken.Register(() => IsOver = true);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return 0;
        }
    }
}
