"""Jobs at the same time: their results in order, torch's modes and threads as they were."""

import os
import threading

import pytest
import torch

from spacy_tokclf.runtime import threads
from spacy_tokclf.runtime.threads import count_threads

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def run_parallel(jobs):
    """Do jobs on the CPU."""
    return threads.run_parallel(jobs, CPU)


@pytest.fixture(autouse=True)
def three_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(threads)


def test_results_come_in_order_from_several_threads():
    meeting = threading.Barrier(3)

    def job(number):
        meeting.wait(timeout=60)
        return number, threading.get_ident(), torch.get_num_threads()

    found = run_parallel([lambda i=i: job(i) for i in range(3)])
    assert [number for number, _, _ in found] == [0, 1, 2]
    assert len({thread for _, thread, _ in found} | {threading.get_ident()}) == 4
    assert [threads for _, _, threads in found] == [1, 1, 1]


def test_fewer_jobs_have_more_threads_each():
    torch.set_num_threads(4)
    assert run_parallel([torch.get_num_threads] * 2) == [2, 2]


def test_one_job_or_one_thread_needs_no_other():
    here = threading.get_ident()
    assert run_parallel([threading.get_ident]) == [here]
    assert run_parallel([]) == []
    torch.set_num_threads(1)
    assert run_parallel([threading.get_ident] * 3) == [here] * 3


def test_more_jobs_than_threads():
    assert run_parallel([lambda i=i: i * i for i in range(20)]) == [i * i for i in range(20)]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_modes_are_those_of_the_caller(mode):
    def modes():
        return torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    with mode():
        assert run_parallel([modes] * 3) == [modes()] * 3


def test_threads_of_the_process_stay():
    run_parallel([bool] * 3)
    assert torch.get_num_threads() == 3
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert found == [3]


def test_an_error_is_raised_when_all_have_ended():
    done = []

    def fail():
        raise KeyError("a job")

    with pytest.raises(KeyError, match="a job"):
        run_parallel([fail, lambda: done.append(1), lambda: done.append(2)])
    assert sorted(done) == [1, 2]


def test_a_forked_process_starts_threads_of_its_own():
    run_parallel([bool] * 3)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, bytes(run_parallel([lambda i=i: i for i in range(3)])))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        assert file.read() == bytes([0, 1, 2])
    assert os.waitpid(child, 0)[1] == 0


def test_only_a_cpu_shares_jobs_among_threads():
    assert (count_threads(CPU), count_threads(GPU)) == (3, 1)
    assert threads.run_parallel([threading.get_ident] * 3, GPU) == [threading.get_ident()] * 3
