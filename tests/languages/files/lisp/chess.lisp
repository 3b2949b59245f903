;;;; Moves of chess.

(defpackage :chess (:use :cl))

(defclass square ()
  ((file :initarg :file)
   (rank :initarg :rank)))

;; All squares that a knight can jump to.
(defun knight-moves (square)
  "The squares, in no order."
  (loop for (x y) in '((1 2) (2 1) (-1 2) (-2 1))
        collect (cons (+ x (car square)) (+ y (cdr square)))))

(defmacro with-board ((board) &body body)
  `(let ((,board (make-board))) ,@body))

(defmethod show ((square square))
  (format t "~a" square))
