using OllamaMax.Cluster;

namespace OllamaMax.Core.Tests.Cluster;

public sealed class OrphanMarksTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromHours(1);
    private static readonly OrphanCandidate Blob = new("models/partial/x", "1", Wait);

    [Fact]
    public void Due_BeforeTheWaitIsOver_IsNothing()
    {
        OrphanMarks marks = OrphanMarks.None.Look([Blob], Views.Now);

        marks.Due([Blob], Views.Now + Wait - TimeSpan.FromSeconds(1)).ShouldBeEmpty();
    }

    [Fact]
    public void Due_UnchangedAfterTheWait_IsTheBlob()
    {
        OrphanMarks marks = OrphanMarks.None.Look([Blob], Views.Now);

        marks = marks.Look([Blob], Views.Now + Wait);

        marks.Due([Blob], Views.Now + Wait).ShouldBe([Blob]);
    }

    [Fact]
    public void UnneededCopies_MarkedForTheWaitAndStillUnnamed_AreTheirDigests()
    {
        OrphanCandidate[] both = [Blob, OrphanCandidate.Copy("sha256:m", Wait)];
        OrphanMarks marks = OrphanMarks.None.Look(both, Views.Now);

        marks.UnneededCopies(Wait, Views.Now + Wait - TimeSpan.FromSeconds(1)).ShouldBeEmpty();
        marks.UnneededCopies(Wait, Views.Now + Wait).ShouldBe(["sha256:m"]);
        marks.Look([Blob], Views.Now + Wait).UnneededCopies(Wait, Views.Now + (2 * Wait)).ShouldBeEmpty("a name has come");
    }

    [Fact]
    public void Look_ChangedSince_WaitsAnew()
    {
        OrphanCandidate changed = Blob with { Tag = "2" };
        OrphanMarks marks = OrphanMarks.None.Look([Blob], Views.Now).Look([changed], Views.Now + Wait);

        marks.Due([changed], Views.Now + Wait).ShouldBeEmpty();
        marks.Due([changed], Views.Now + (2 * Wait)).ShouldBe([changed]);
    }

    [Fact]
    public void Look_NeededInBetween_IsForgottenAndWaitsAnew()
    {
        OrphanMarks marks = OrphanMarks.None.Look([Blob], Views.Now).Look([], Views.Now + Wait).Look([Blob], Views.Now + (2 * Wait));

        marks.Due([Blob], Views.Now + (2 * Wait)).ShouldBeEmpty();
    }

    [Fact]
    public void Look_NothingNew_IsTheSameInstance()
    {
        OrphanMarks marks = OrphanMarks.None.Look([Blob], Views.Now);

        marks.Look([Blob], Views.Now + Wait).ShouldBeSameAs(marks);
    }

    [Fact]
    public void Look_MoreThanTheDocumentHolds_KeepsThoseThatWaitAlready()
    {
        OrphanMarks marks = OrphanMarks.None.Look([Blob], Views.Now);
        OrphanCandidate[] many = [.. Enumerable.Range(0, 5000).Select(i => new OrphanCandidate($"jobs/output/{i}", "1", Wait)), Blob];

        marks = marks.Look(many, Views.Now + Wait);

        marks.Marks.Count.ShouldBe(1000);
        marks.Due(many, Views.Now + Wait).ShouldBe([Blob]);
    }
}
